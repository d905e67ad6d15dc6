// SPDX-License-Identifier: GPL-3.0-or-later
// Media packets of many flows from host A to host B of tests/lab/three_hosts, as fast as one
// processor sends them; and what of them came as far as B.
#pragma once

#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "daemon/file_descriptor.h"
#include "pinhole/endpoint.h"
#include "tests/lab/three_hosts.h"

namespace midcom::bench {

struct MediaFlow {
  pinhole::Endpoint from, to; // of A, of B
};
// `count` flows of call-like ports; others come after `first`.
[[nodiscard]] std::vector<MediaFlow> media_flows(int first, int count);

[[nodiscard]] sockaddr_in to_sockaddr(const pinhole::Endpoint& endpoint);
[[nodiscard]] FileDescriptor bound_socket(const lab::ThreeHosts& hosts, char host,
                                          const pinhole::Endpoint& local);

// Sends round and round over the flows, each from its own port pair.
class MediaLoad {
public:
  MediaLoad(const lab::ThreeHosts& hosts, const std::vector<MediaFlow>& flows, std::string payload);
  MediaLoad(const MediaLoad&) = delete;
  MediaLoad& operator=(const MediaLoad&) = delete;

  // Ends at `packets` or when `longest` is over, at the end of a burst. How many were sent.
  std::uint64_t send(std::uint64_t packets, std::chrono::milliseconds longest);

private:
  struct Burst { // the flows of one source port, one sendmmsg
    FileDescriptor socket;
    std::vector<sockaddr_in> receivers;
    std::vector<mmsghdr> messages;
  };
  std::string payload_;
  iovec content_{};
  std::vector<Burst> bursts_;
  std::size_t next_ = 0;
};

// nftables at one host, as its operator; throws std::runtime_error.
void nft_at(const lab::ThreeHosts& hosts, char host, const std::string& commands);

// Counts and drops all UDP that arrives at `device`, before anything else is done with it.
class EarlyDrop {
public:
  EarlyDrop(const lab::ThreeHosts& hosts, char host, const std::string& device);
  ~EarlyDrop();
  EarlyDrop(const EarlyDrop&) = delete;
  EarlyDrop& operator=(const EarlyDrop&) = delete;
  [[nodiscard]] std::uint64_t count() const;
  // Waits a little for the last ones of `expected`.
  [[nodiscard]] std::uint64_t count_of(std::uint64_t expected) const;

private:
  const lab::ThreeHosts& hosts_;
  char host_;
};

} // namespace midcom::bench
