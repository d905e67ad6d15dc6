// SPDX-License-Identifier: GPL-3.0-or-later
// Network namespaces A | gateway | B, and C at a third leg of the gateway, of this process alone.
#pragma once

#include <string>

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
  [[nodiscard]] int receive_all(int expected) const;           // waits a little for `expected`

private:
  FileDescriptor socket_;
};

// Sends ICMP or ICMPv6 messages and counts those that come.
class IcmpSocket {
public:
  IcmpSocket(const ThreeHosts& hosts, char host, const pinhole::Address& local);
  // A message of this type and code with the start of a UDP packet of `quoted_from` to `quoted_to`.
  void send(const pinhole::Address& to, int type, int code, const pinhole::Endpoint& quoted_from,
            const pinhole::Endpoint& quoted_to) const;
  [[nodiscard]] int receive_all(int expected) const;

private:
  FileDescriptor socket_;
};

} // namespace midcom::lab
