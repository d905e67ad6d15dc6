// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/media_load.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace midcom::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int flows_of_port = 50;

std::string output_of(const std::string& command) {
  struct Close {
    void operator()(FILE* file) const { pclose(file); }
  };
  const std::unique_ptr<FILE, Close> pipe(popen(command.c_str(), "r"));
  std::string text;
  std::array<char, 4096> part{};
  while (pipe && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) text += part.data();
  return text;
}

} // namespace

sockaddr_in to_sockaddr(const pinhole::Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  std::memcpy(&address.sin_addr, endpoint.address.octets.data(), sizeof address.sin_addr);
  return address;
}

FileDescriptor bound_socket(const lab::ThreeHosts& hosts, char host,
                            const pinhole::Endpoint& local) {
  const lab::Inside inside(hosts.name(host));
  FileDescriptor made(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = to_sockaddr(local);
  if (bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("bind " + local.to_string());
  return made;
}

std::vector<MediaFlow> media_flows(int first, int count) {
  const auto a = *pinhole::Address::parse("192.0.2.2"),
             b = *pinhole::Address::parse("198.51.100.2");
  std::vector<MediaFlow> flows;
  for (int i = first; i < first + count; ++i)
    flows.push_back({{a, static_cast<std::uint16_t>(10000 + 2 * (i / flows_of_port))},
                     {b, static_cast<std::uint16_t>(20000 + 2 * i)}});
  return flows;
}

MediaLoad::MediaLoad(const lab::ThreeHosts& hosts, const std::vector<MediaFlow>& flows,
                     std::string payload)
    : payload_(std::move(payload)), content_{payload_.data(), payload_.size()} {
  const pinhole::Endpoint* last = nullptr;
  for (const MediaFlow& flow : flows) {
    if (last == nullptr || *last != flow.from)
      bursts_.push_back({bound_socket(hosts, 'a', flow.from), {}, {}});
    last = &flow.from;
    bursts_.back().receivers.push_back(to_sockaddr(flow.to));
  }
  for (Burst& burst : bursts_) {
    burst.messages.resize(burst.receivers.size());
    for (std::size_t i = 0; i < burst.messages.size(); ++i) {
      msghdr& header = burst.messages[i].msg_hdr;
      header.msg_name = &burst.receivers[i];
      header.msg_namelen = sizeof burst.receivers[i];
      header.msg_iov = &content_;
      header.msg_iovlen = 1;
    }
  }
}

std::uint64_t MediaLoad::send(std::uint64_t packets, std::chrono::milliseconds longest) {
  std::uint64_t sent = 0;
  const auto end = Clock::now() + longest;
  while (sent < packets && Clock::now() < end) {
    Burst& burst = bursts_[next_];
    next_ = (next_ + 1) % bursts_.size();
    const int count = sendmmsg(burst.socket.get(), burst.messages.data(),
                               static_cast<unsigned>(burst.messages.size()), 0);
    if (count > 0)
      sent += static_cast<std::uint64_t>(count);
    else if (errno != ENOBUFS)
      throw std::runtime_error(std::string("sendmmsg: ") + std::strerror(errno));
  }
  return sent;
}

void nft_at(const lab::ThreeHosts& hosts, char host, const std::string& commands) {
  const std::string command = "ip netns exec " + hosts.name(host) + " nft '" + commands + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

EarlyDrop::EarlyDrop(const lab::ThreeHosts& hosts, char host, const std::string& device)
    : hosts_(hosts), host_(host) {
  nft_at(hosts, host,
         "table netdev early { chain drop_udp { type filter hook ingress device " + device +
             " priority 0; ip protocol udp counter drop; }\n}");
}

EarlyDrop::~EarlyDrop() {
  (void)!std::system(
      ("ip netns exec " + hosts_.name(host_) + " nft delete table netdev early").c_str());
}

std::uint64_t EarlyDrop::count() const {
  const std::string text =
      output_of("ip netns exec " + hosts_.name(host_) + " nft list chain netdev early drop_udp");
  const std::size_t at = text.find("packets ");
  if (at == std::string::npos) throw std::runtime_error("no counter in: " + text);
  return std::strtoull(text.c_str() + at + std::strlen("packets "), nullptr, 10);
}

std::uint64_t EarlyDrop::count_of(std::uint64_t expected) const {
  std::uint64_t found = count();
  for (int i = 0; i < 20 && found < expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    found = count();
  }
  return found;
}

} // namespace midcom::bench
