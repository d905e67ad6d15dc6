// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/nft_batch.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

namespace midcom::pinhole {

namespace {

// No message of ours is longer: the longest is an element with its userdata or a rule with some
// twenty expressions, both below 2 kB.
constexpr std::size_t message_room = 8 * 1024;

} // namespace

NftBatch::NftBatch(Kind kind) : kind_(kind), buffer_(2 * message_room) {
  if (kind != Kind::plain)
    start(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 0, htons(NFNL_SUBSYS_NFTABLES));
}

nlmsghdr* NftBatch::last() const {
  return reinterpret_cast<nlmsghdr*>(buffer_.data() + last_);
}

std::string_view NftBatch::bytes() const {
  const std::size_t end = has_message_ ? last_ + MNL_ALIGN(last()->nlmsg_len) : 0;
  return {buffer_.data(), end};
}

void NftBatch::start(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                     std::uint16_t resource) {
  last_ = bytes().size();
  has_message_ = true;
  if (buffer_.size() < last_ + message_room) buffer_.resize(2 * buffer_.size());
  nlmsghdr* header = mnl_nlmsg_put_header(buffer_.data() + last_);
  header->nlmsg_type = type;
  header->nlmsg_flags = flags;
  auto* general = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  general->nfgen_family = family;
  general->version = NFNETLINK_V0;
  general->res_id = resource;
}

nlmsghdr* NftBatch::add(std::uint16_t type, std::uint16_t flags, std::uint8_t family) {
  start(type, static_cast<std::uint16_t>(flags | NLM_F_REQUEST), family, 0);
  ++count_;
  return last();
}

std::pair<std::uint32_t, std::uint32_t> NftBatch::number(NetlinkSocket& socket) {
  const std::size_t end = bytes().size();
  std::uint32_t first = 0, final = 0;
  for (std::size_t at = 0; at < end;) {
    auto* header = reinterpret_cast<nlmsghdr*>(buffer_.data() + at);
    final = header->nlmsg_seq = socket.next_sequence();
    if (at == 0) first = final;
    at += MNL_ALIGN(header->nlmsg_len);
  }
  return {first, final};
}

int NftBatch::run(NetlinkSocket& socket, const std::function<void(std::string_view)>& each) {
  if (count_ == 0) return 0;
  last()->nlmsg_flags |= NLM_F_ACK;
  if (kind_ == Kind::transaction)
    start(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, htons(NFNL_SUBSYS_NFTABLES));
  const auto [first, final] = number(socket);
  if (!socket.send(bytes())) return errno == 0 ? EIO : errno;
  int error = 0;
  const std::uint32_t last_asked = kind_ == Kind::transaction ? final - 1 : final;
  bool is_finished = false; // the answer to the last of the messages has come
  const auto read = [&](std::string_view message) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
    // Echoed elements carry no number; others may be left from an earlier run.
    if (header->nlmsg_seq != 0 && header->nlmsg_seq - first > final - first) return;
    if (header->nlmsg_type == NLMSG_ERROR) {
      nlmsgerr answer{};
      if (message.size() < NLMSG_HDRLEN + sizeof answer) return;
      std::memcpy(&answer, message.data() + NLMSG_HDRLEN, sizeof answer);
      if (error == 0) error = -answer.error;
      is_finished = header->nlmsg_seq == last_asked;
    } else if (header->nlmsg_type == NLMSG_DONE) {
      is_finished = true;
    } else if (each != nullptr) {
      each(message);
    }
  };
  while (!is_finished) {
    const NetlinkSocket::Received received = socket.receive(read);
    if (received == NetlinkSocket::Received::lost) return ENOBUFS;
    if (received == NetlinkSocket::Received::nothing) break;
  }
  if (error == 0 && !is_finished) return EIO;
  return error;
}

} // namespace midcom::pinhole
