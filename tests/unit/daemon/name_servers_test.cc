// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/name_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midcom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> servers(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& server : name_servers_in(text)) all.push_back(server.to_string());
  return all;
}

TEST(NameServers, OfAResolvConf) {
  EXPECT_THAT(servers("# made by hand\nsearch example.com\nnameserver 192.0.2.1\n"
                      "nameserver\t2001:db8::1  # second\r\noptions edns0\n  nameserver 192.0.2.2"),
              ElementsAre("192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"));
}

TEST(NameServers, ThreeAtMost) {
  EXPECT_THAT(servers("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
                      "nameserver 192.0.2.4\n"),
              ElementsAre("192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"));
}

TEST(NameServers, LinesThatNameNone) {
  EXPECT_THAT(servers(""), IsEmpty());
  EXPECT_THAT(servers("\n\n"), IsEmpty());
  for (const char* line :
       {"nameserver", "nameserver ", "nameserver ns.example", "nameserver fe80::1%eth0",
        "nameserver 0.0.0.0", "nameserver 192.0.2.1:53", "#nameserver 192.0.2.1",
        "nameservers 192.0.2.1", "; nameserver 192.0.2.1", "NAMESERVER 192.0.2.1"})
    EXPECT_THAT(servers(line), IsEmpty()) << line;
}

} // namespace
} // namespace midcom
