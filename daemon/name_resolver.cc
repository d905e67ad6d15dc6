// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/name_resolver.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <ares.h>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace midcom {

namespace {

using Family = sip::IpAddress::Family;

constexpr int most_addresses = 16; // of one answer; only the first that fits is used
constexpr int first_timeout_ms = 400;
constexpr int tries = 3; // of each server, each waiting twice as long as the one before

[[noreturn]] void fail(const char* step, int status) {
  throw std::runtime_error(std::string("name servers: ") + step + ": " + ::ares_strerror(status));
}

// Everything is given, so that the library reads no file.
ares_channel open_channel(ares_sock_state_cb on_socket, void* resolver) {
  ares_options options{};
  std::array<char, 2> lookups{"b"}; // name servers, no /etc/hosts
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = first_timeout_ms;
  options.tries = tries;
  options.ndots = 1;
  options.lookups = lookups.data();
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = resolver;
  in_addr placeholder{};
  options.servers = &placeholder; // set_servers() replaces it
  options.nservers = 1;
  ares_channel channel = nullptr;
  const int status = ::ares_init_options(
      &channel, &options,
      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
          ARES_OPT_SOCK_STATE_CB | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST);
  if (status != ARES_SUCCESS) fail("ares_init", status);
  return channel;
}

void set_servers(ares_channel channel, const std::vector<sip::Endpoint>& servers) {
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto& [address, port] = servers[i];
    const bool is_ipv4 = address.family == Family::ipv4;
    nodes[i].family = is_ipv4 ? AF_INET : AF_INET6;
    nodes[i].udp_port = nodes[i].tcp_port = port;
    nodes[i].next = i + 1 < servers.size() ? &nodes[i + 1] : nullptr;
    std::memcpy(&nodes[i].addr, address.octets.data(), is_ipv4 ? 4 : 16);
  }
  const int status = ::ares_set_servers_ports(channel, nodes.data());
  if (status != ARES_SUCCESS) fail("ares_set_servers", status);
}

template <class Record, class Read>
std::vector<sip::IpAddress> addresses_in(Family family, const Read& read) {
  std::array<Record, most_addresses> records{};
  int count = most_addresses;
  std::vector<sip::IpAddress> addresses;
  if (read(records.data(), &count) != ARES_SUCCESS) return addresses;
  for (int i = 0; i < count; ++i) {
    sip::IpAddress address;
    address.family = family;
    const Record& record = records[static_cast<std::size_t>(i)];
    if constexpr (std::is_same_v<Record, ares_addrttl>)
      std::memcpy(address.octets.data(), &record.ipaddr, 4);
    else
      std::memcpy(address.octets.data(), &record.ip6addr, 16);
    addresses.push_back(address);
  }
  return addresses;
}

std::vector<sip::IpAddress> addresses_in(Family family, const unsigned char* bytes, int size) {
  if (family == Family::ipv4)
    return addresses_in<ares_addrttl>(family, [&](ares_addrttl* records, int* count) {
      return ::ares_parse_a_reply(bytes, size, nullptr, records, count);
    });
  return addresses_in<ares_addr6ttl>(family, [&](ares_addr6ttl* records, int* count) {
    return ::ares_parse_aaaa_reply(bytes, size, nullptr, records, count);
  });
}

} // namespace

struct NameResolver::Asked {
  NameResolver& resolver;
  std::uint64_t question;
  Family family;
};

NameResolver::Library::Library() {
  if (const int status = ::ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS)
    fail("ares_library_init", status);
}

NameResolver::Library::~Library() {
  ::ares_library_cleanup();
}

NameResolver::NameResolver(EventLoop& loop, const std::vector<sip::Endpoint>& servers,
                           NameEvents& events)
    : loop_(loop), events_(events), deliver_(loop, [this] { deliver(); }), due_(loop, [this] {
        ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        rearm();
      }) {
  if (servers.empty()) return;
  channel_ = open_channel(&NameResolver::on_socket, this);
  try {
    set_servers(channel_, servers);
  } catch (...) {
    ::ares_destroy(channel_);
    throw;
  }
}

NameResolver::~NameResolver() {
  if (channel_ != nullptr) ::ares_destroy(channel_);
}

void NameResolver::look_up(std::uint64_t question, const std::string& name, Family family) {
  if (channel_ == nullptr || asked_ >= most_asked) return answer(question, {});
  ++asked_;
  auto asked = std::make_unique<Asked>(Asked{*this, question, family});
  ::ares_query(channel_, name.c_str(), ns_c_in, family == Family::ipv4 ? ns_t_a : ns_t_aaaa,
               &NameResolver::on_answer, asked.release()); // on_answer() takes it, once
  rearm();
}

void NameResolver::on_answer(void* raw, int status, int, unsigned char* bytes, int size) {
  const std::unique_ptr<Asked> asked(static_cast<Asked*>(raw));
  if (status == ARES_EDESTRUCTION) return;
  --asked->resolver.asked_;
  asked->resolver.answer(asked->question, status == ARES_SUCCESS
                                              ? addresses_in(asked->family, bytes, size)
                                              : std::vector<sip::IpAddress>());
}

void NameResolver::answer(std::uint64_t question, std::vector<sip::IpAddress> addresses) {
  answers_.push_back({question, std::move(addresses)});
  deliver_.schedule();
}

// Behind the library's own work: an answer may lead to the next question.
void NameResolver::deliver() {
  closed_.clear();
  for (const Answer& one : std::exchange(answers_, {}))
    events_.on_name(one.question, one.addresses, loop_.now());
}

void NameResolver::on_socket(void* resolver, int socket, int is_readable, int is_writable) {
  static_cast<NameResolver*>(resolver)->watch(
      socket, (is_readable != 0 ? static_cast<unsigned>(IoEvent::readable) : 0U) |
                  (is_writable != 0 ? static_cast<unsigned>(IoEvent::writable) : 0U));
}

void NameResolver::watch(int socket, unsigned interest) {
  auto found = sockets_.find(socket);
  if (interest == IoEvent::none) { // it is closed next
    if (found == sockets_.end()) return;
    found->second->watch(IoEvent::none);
    closed_.push_back(std::move(found->second));
    sockets_.erase(found);
    deliver_.schedule();
    return;
  }
  if (found == sockets_.end())
    found = sockets_
                .emplace(socket, std::make_unique<IoEvent>(
                                     loop_, socket,
                                     [this, socket](unsigned ready) { on_ready(socket, ready); }))
                .first;
  found->second->watch(interest);
}

void NameResolver::on_ready(int socket, unsigned ready) {
  ::ares_process_fd(channel_, (ready & IoEvent::readable) != 0 ? socket : ARES_SOCKET_BAD,
                    (ready & IoEvent::writable) != 0 ? socket : ARES_SOCKET_BAD);
  rearm();
}

void NameResolver::rearm() {
  timeval wait{};
  if (::ares_timeout(channel_, nullptr, &wait) == nullptr) return due_.stop();
  due_.start_at(loop_.now() + std::chrono::seconds(wait.tv_sec) +
                std::chrono::microseconds(wait.tv_usec));
}

} // namespace midcom
