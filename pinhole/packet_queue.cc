// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/packet_queue.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sstream>
#include <string>
#include <utility>

#include "pinhole/nft_batch.h"

namespace midcom::pinhole {

namespace {

constexpr int copy_range = 1500;
constexpr std::uint32_t queue_length = 32768; // more than the gate parks
constexpr int packets_per_turn = 256;

nlmsghdr* add(NftBatch& batch, int type, std::uint16_t queue) {
  nlmsghdr* header = batch.add(static_cast<std::uint16_t>(NFNL_SUBSYS_QUEUE << 8 | type), 0, 0);
  static_cast<nfgenmsg*>(mnl_nlmsg_get_payload(header))->res_id = htons(queue);
  return header;
}

} // namespace

std::ifstream open_queue_statistics() {
  return std::ifstream("/proc/thread-self/net/netfilter/nfnetlink_queue");
}

PacketQueue::PacketQueue(NetlinkSocket socket, const Policy& policy, std::ifstream statistics)
    : socket_(std::move(socket)), number_(policy.queue), mark_(policy.mark), mask_(policy.mask),
      statistics_(std::move(statistics)) {}

KernelResult<std::unique_ptr<PacketQueue>> PacketQueue::open(const Policy& policy,
                                                             std::ifstream statistics) {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  socket->ignore_overruns();
  std::unique_ptr<PacketQueue> queue(
      new PacketQueue(std::move(*socket), policy, std::move(statistics)));
  if (queue->bind() != 0) return std::unexpected(KernelError::failed);
  return queue;
}

// The rule that fills it may be there already, of an earlier process: what comes between the
// answers is kept.
int PacketQueue::bind() {
  NftBatch batch(NftBatch::Kind::plain);
  nfq_nlmsg_cfg_put_cmd(add(batch, NFQNL_MSG_CONFIG, number_), AF_UNSPEC, NFQNL_CFG_CMD_BIND);
  nfq_nlmsg_cfg_put_params(add(batch, NFQNL_MSG_CONFIG, number_), NFQNL_COPY_PACKET, copy_range);
  nfq_nlmsg_cfg_put_qmaxlen(add(batch, NFQNL_MSG_CONFIG, number_), queue_length);
  return batch.run(socket_, [this](std::string_view message) { read(message); });
}

void PacketQueue::read(std::string_view message) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  if (header->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) return;
  std::array<nlattr*, NFQA_MAX + 1> attributes{};
  if (nfq_nlmsg_parse(header, attributes.data()) < 0 || attributes[NFQA_PACKET_HDR] == nullptr)
    return;
  const auto* packet =
      static_cast<const nfqnl_msg_packet_hdr*>(mnl_attr_get_payload(attributes[NFQA_PACKET_HDR]));
  const std::uint32_t id = ntohl(packet->packet_id);
  if (attributes[NFQA_MARK] != nullptr) marks_[id] = ntohl(mnl_attr_get_u32(attributes[NFQA_MARK]));
  std::string octets;
  if (const nlattr* payload = attributes[NFQA_PAYLOAD]; payload != nullptr)
    octets.assign(static_cast<const char*>(mnl_attr_get_payload(payload)),
                  mnl_attr_get_payload_len(payload));
  packets_.push_back({id, std::move(octets)});
}

std::vector<QueuedPacket> PacketQueue::take() {
  for (int i = 0; i < packets_per_turn; ++i)
    if (socket_.receive([this](std::string_view message) { read(message); }) ==
        NetlinkSocket::Received::nothing)
      break;
  return std::exchange(packets_, {});
}

void PacketQueue::decide(std::span<const Decided> decided) {
  NftBatch batch(NftBatch::Kind::plain);
  for (const auto& [id, verdict] : decided) {
    const auto marked = marks_.extract(id);
    const std::uint32_t others = marked ? marked.mapped() & ~mask_ : 0;
    nlmsghdr* message = add(batch, NFQNL_MSG_VERDICT, number_);
    const int code = verdict == Verdict::drop     ? NF_DROP
                     : verdict == Verdict::repeat ? NF_REPEAT
                                                  : NF_ACCEPT;
    nfq_nlmsg_verdict_put(message, static_cast<int>(id), code);
    if (verdict == Verdict::pass) nfq_nlmsg_verdict_put_mark(message, others | mark_);
  }
  if (!batch.is_empty()) (void)socket_.send(batch.bytes());
}

// A line for each queue: number, port, held, mode, range, dropped as it was full, dropped as the
// socket was full, last id, 1.
std::uint64_t PacketQueue::overrun() {
  if (!statistics_.is_open()) return 0;
  statistics_.clear();
  statistics_.seekg(0);
  for (std::string line; std::getline(statistics_, line);) {
    std::istringstream words(line);
    std::uint64_t number = 0, port = 0, held = 0, mode = 0, range = 0, full = 0, lost = 0;
    if (words >> number >> port >> held >> mode >> range >> full >> lost && number == number_)
      return full + lost;
  }
  return 0;
}

} // namespace midcom::pinhole
