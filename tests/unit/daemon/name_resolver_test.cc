// SPDX-License-Identifier: GPL-3.0-or-later
// The resolver against name servers on the loopback.
#include "daemon/name_resolver.h"

#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/socket_address.h"
#include "network_lab.h"

namespace midcom {
namespace {

using test::run_until;
using testing::ElementsAre;
using testing::IsEmpty;
using Family = sip::IpAddress::Family;

std::string octets_of(std::string_view address) {
  const auto parsed = *sip::IpAddress::parse(address);
  const std::size_t size = parsed.family == Family::ipv4 ? 4 : 16;
  return {reinterpret_cast<const char*>(parsed.octets.data()), size};
}

// Answers what it knows about "NAME A" and "NAME AAAA", says that there is no such name of "no.…",
// and nothing at all of "silent.…".
class Server {
public:
  explicit Server(EventLoop& loop)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        ready_(loop, socket_.get(), [this](unsigned) { serve(); }) {
    SocketAddress local(sip::Endpoint{*sip::IpAddress::parse("127.0.0.1"), 0});
    EXPECT_EQ(::bind(socket_.get(), local.get(), local.size), 0);
    ready_.watch(IoEvent::readable);
  }
  [[nodiscard]] sip::Endpoint address() const { return *local_endpoint(socket_.get()); }

  std::map<std::string, std::vector<std::string>> known; // "NAME A": addresses
  std::vector<std::string> asked;

private:
  void serve() {
    std::array<char, 512> buffer{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 17) return;
    const std::string answer = answer_to({buffer.data(), static_cast<std::size_t>(got)});
    if (!answer.empty())
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
  }

  std::string answer_to(const std::string& query) {
    std::string name;
    std::size_t at = 12;
    for (; query[at] != 0; at += 1 + static_cast<unsigned char>(query[at]))
      name +=
          (name.empty() ? "" : ".") + query.substr(at + 1, static_cast<unsigned char>(query[at]));
    const bool is_ipv4 = query[at + 2] == 1;
    asked.push_back(name + (is_ipv4 ? " A" : " AAAA"));
    if (name.starts_with("silent.")) return {};
    const auto found = known.find(asked.back());
    const std::size_t count = found == known.end() ? 0 : found->second.size();
    std::string answer = query.substr(0, 2) + '\x85' + (name.starts_with("no.") ? '\x83' : '\x80');
    answer += std::string("\0\1\0", 3) + static_cast<char>(count) + std::string(4, '\0');
    answer += query.substr(12, at + 5 - 12);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string data = octets_of(found->second[i]);
      answer += std::string("\xc0\x0c\0", 3) + query[at + 2] + std::string("\0\1\0\0\0\x3c\0", 7) +
                static_cast<char>(data.size()) + data;
    }
    return answer;
  }

  FileDescriptor socket_;
  IoEvent ready_;
};

class NameResolverTest : public testing::Test, public NameEvents {
protected:
  void on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
               sip::TimePoint) override {
    EXPECT_FALSE(is_asking_);
    auto& texts = answers_[question];
    for (const auto& one : addresses) texts.push_back(one.to_string());
  }
  std::vector<std::string> ask(NameResolver& resolver, const std::string& name, Family family) {
    const auto question = ++last_;
    is_asking_ = true;
    resolver.look_up(question, name, family);
    is_asking_ = false;
    EXPECT_TRUE(run_until(loop_, [&] { return answers_.contains(question); })) << name;
    return answers_[question];
  }

  EventLoop loop_;
  std::map<std::uint64_t, std::vector<std::string>> answers_;
  std::uint64_t last_ = 0;
  bool is_asking_ = false;
};

TEST_F(NameResolverTest, AddressesInTheirOrder) {
  Server server(loop_);
  server.known = {{"a.example A", {"192.0.2.9", "192.0.2.1"}}, {"a.example AAAA", {"2001:db8::9"}}};
  NameResolver resolver(loop_, {server.address()}, *this);
  EXPECT_THAT(ask(resolver, "a.example", Family::ipv4), ElementsAre("192.0.2.9", "192.0.2.1"));
  EXPECT_THAT(ask(resolver, "a.example", Family::ipv6), ElementsAre("2001:db8::9"));
  EXPECT_THAT(ask(resolver, "b.example", Family::ipv4), IsEmpty());
  EXPECT_THAT(ask(resolver, "no.example", Family::ipv4), IsEmpty());
  // Nothing is appended, and a single label is asked for as it is.
  EXPECT_THAT(ask(resolver, "no", Family::ipv4), IsEmpty());
  EXPECT_THAT(server.asked,
              ElementsAre("a.example A", "a.example AAAA", "b.example A", "no.example A", "no A"));
}

// What /etc/hosts has is not asked for, and without a server there is nobody to ask.
TEST_F(NameResolverTest, NoFiles) {
  Server server(loop_);
  NameResolver resolver(loop_, {server.address()}, *this);
  EXPECT_THAT(ask(resolver, "localhost", Family::ipv4), IsEmpty());
  NameResolver none(loop_, {}, *this);
  EXPECT_THAT(ask(none, "a.example", Family::ipv4), IsEmpty());
}

TEST_F(NameResolverTest, WhatIsNoName) {
  Server server(loop_);
  NameResolver resolver(loop_, {server.address()}, *this);
  for (const std::string& name : {std::string("a..example"), std::string(64, 'a') + ".example",
                                  std::string(".example"), std::string()})
    EXPECT_THAT(ask(resolver, name, Family::ipv4), IsEmpty()) << name;
}

TEST_F(NameResolverTest, TheNextServerWhenOneIsSilentOrAway) {
  sip::Endpoint away;
  {
    Server closed(loop_);
    away = closed.address();
  }
  Server server(loop_);
  server.known = {{"a.example A", {"192.0.2.1"}}};
  NameResolver resolver(loop_, {away, server.address()}, *this);
  EXPECT_THAT(ask(resolver, "a.example", Family::ipv4), ElementsAre("192.0.2.1"));
}

TEST_F(NameResolverTest, ManyAtATimeAndNeverMoreThanItsShare) {
  Server server(loop_);
  NameResolver resolver(loop_, {server.address()}, *this);
  constexpr std::uint64_t many = NameResolver::most_asked + 10;
  for (std::uint64_t question = 1; question <= many; ++question)
    resolver.look_up(question, "silent.example", Family::ipv4);
  ASSERT_TRUE(run_until(loop_, [&] { return answers_.size() >= 10; }));
  EXPECT_EQ(answers_.size(), 10U);
  EXPECT_TRUE(answers_.contains(many));
  EXPECT_FALSE(answers_.contains(1));
}

// Questions that are out when it goes are not answered any more.
TEST_F(NameResolverTest, EndsWhileItAsks) {
  Server server(loop_);
  {
    NameResolver resolver(loop_, {server.address()}, *this);
    resolver.look_up(1, "silent.example", Family::ipv6);
    EXPECT_TRUE(run_until(loop_, [&] { return !server.asked.empty(); }));
  }
  EXPECT_TRUE(answers_.empty());
}

} // namespace
} // namespace midcom
