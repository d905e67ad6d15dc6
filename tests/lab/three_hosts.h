// SPDX-License-Identifier: GPL-3.0-or-later
// Network namespaces A | gateway | B, and C at a third leg of the gateway, of this process alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/file_descriptor.h"
#include "pinhole/endpoint.h"

namespace midcom::lab {

class ThreeHosts {
public:
  ThreeHosts(); // throws std::runtime_error
  ~ThreeHosts();
  ThreeHosts(const ThreeHosts&) = delete;
  ThreeHosts& operator=(const ThreeHosts&) = delete;
  [[nodiscard]] std::string name(char host) const; // of 'a', 'g', 'b', 'c'
  void nft(const std::string& commands) const;     // at the gateway, as its operator

private:
  std::string prefix_;
};

// The calling thread is in the namespace meanwhile. Sockets made there stay there.
class Inside {
public:
  explicit Inside(const std::string& name);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

private:
  FileDescriptor home_;
};

class UdpSocket {
public:
  UdpSocket(const ThreeHosts& hosts, char host, const pinhole::Endpoint& local);
  void send(const pinhole::Endpoint& to, int count = 1) const; // 100 octets each
  void send(const pinhole::Endpoint& to, std::string_view payload) const;
  [[nodiscard]] std::vector<std::string> receive() const; // what is there, or comes in a little
  [[nodiscard]] int receive_all(int expected) const;      // waits a little for `expected`

private:
  FileDescriptor socket_;
};

// One end of a TCP connection. It never waits for the gateway, which the same thread runs.
class TcpSocket {
public:
  TcpSocket(const ThreeHosts& hosts, char host, const pinhole::Endpoint& local);
  void listen() const;
  void connect(const pinhole::Endpoint& to) const; // begins
  [[nodiscard]] bool is_connected() const;         // by now
  [[nodiscard]] std::optional<TcpSocket> accept() const;
  void send(std::string_view text) const;
  [[nodiscard]] std::string receive() const; // what comes in a little

private:
  explicit TcpSocket(FileDescriptor socket) : socket_(std::move(socket)) {}
  FileDescriptor socket_;
};

// Sends ICMP or ICMPv6 messages and counts those that come.
class IcmpSocket {
public:
  IcmpSocket(const ThreeHosts& hosts, char host, const pinhole::Address& local);
  // A message of this type and code with the start of a packet of `quoted_from` to `quoted_to`.
  void send(const pinhole::Address& to, int type, int code, const pinhole::Endpoint& quoted_from,
            const pinhole::Endpoint& quoted_to, int quoted_protocol = 17) const;
  [[nodiscard]] int receive_all(int expected) const;

private:
  FileDescriptor socket_;
};

} // namespace midcom::lab
