// SPDX-License-Identifier: GPL-3.0-or-later
// The real queue, by libnetfilter_queue: nobody else includes its headers.
#pragma once

#include <fstream>
#include <map>
#include <memory>

#include "pinhole/kernel.h"
#include "pinhole/netlink_socket.h"
#include "pinhole/policy.h"

namespace midcom::pinhole {

// The kernel's own counts of what was dropped. To be opened while /proc can be seen; without it
// overruns aren't counted.
[[nodiscard]] std::ifstream open_queue_statistics();

// Bound as long as it lives. When its process dies all that is held is dropped.
class PacketQueue final : public Queue {
public:
  // failed: somebody else has bound the policy's queue.
  [[nodiscard]] static KernelResult<std::unique_ptr<PacketQueue>> open(const Policy& policy,
                                                                       std::ifstream statistics);
  [[nodiscard]] int fd() const override { return socket_.fd(); }
  [[nodiscard]] std::vector<QueuedPacket> take() override;
  void decide(std::span<const Decided> decided) override;
  [[nodiscard]] std::uint64_t overrun() override;

private:
  PacketQueue(NetlinkSocket socket, const Policy& policy, std::ifstream statistics);
  [[nodiscard]] int bind();
  void read(std::string_view message);

  NetlinkSocket socket_;
  std::uint16_t number_;
  std::uint32_t mark_, mask_;
  std::ifstream statistics_;
  std::vector<QueuedPacket> packets_;            // received, not yet taken
  std::map<std::uint32_t, std::uint32_t> marks_; // of packets that have bits of others
};

} // namespace midcom::pinhole
