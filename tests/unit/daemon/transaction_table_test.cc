// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/transaction_table.h"

#include <gtest/gtest.h>

#include "gateway_config.h"

namespace midcom {
namespace {

using test::address;
using test::request;

std::string key(std::string_view via, std::string_view method = "INVITE",
                std::string_view source = "10.1.0.10", std::string_view extra = {}) {
  const auto message = request(method, "sip:bob@example.com", extra, via);
  if (!message) return "does not parse";
  return TransactionTable::server_key(*message, method, address(source));
}

TEST(TransactionKey, BranchHostPortMethodAndSourceMakeIt) {
  const auto base = key("SIP/2.0/TLS a.example:5061;branch=z9hG4bK1");
  EXPECT_EQ(base, key("SIP/2.0/TLS A.Example:5061;branch=z9hG4bK1"));
  EXPECT_EQ(base, key("SIP/2.0/TLS a.example:5061;rport;branch=z9hG4bK1"));
  EXPECT_NE(base, key("SIP/2.0/TLS a.example:5062;branch=z9hG4bK1"));
  EXPECT_NE(base, key("SIP/2.0/TLS b.example:5061;branch=z9hG4bK1"));
  EXPECT_NE(base, key("SIP/2.0/TLS a.example:5061;branch=z9hG4bK2"));
  EXPECT_NE(base, key("SIP/2.0/TLS a.example:5061;branch=z9hG4bK1", "BYE"));
  EXPECT_NE(base, key("SIP/2.0/TLS a.example:5061;branch=z9hG4bK1", "INVITE", "10.1.0.66"));
}

TEST(TransactionKey, WithoutTheCookieTheWholeRequestCounts) {
  const auto base = key("SIP/2.0/UDP a.example;branch=1");
  EXPECT_EQ(base, key("SIP/2.0/UDP a.example;branch=1"));
  const auto message = sip::Message::parse(
      "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=1\r\n"
      "From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\nCall-ID: other\r\n"
      "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
      sip::Framing::stream, {});
  ASSERT_TRUE(message);
  EXPECT_NE(base, TransactionTable::server_key(**message, "INVITE", address("10.1.0.10")));
}

class TransactionTableTest : public testing::Test {
protected:
  TransactionTable table_{TimeoutConfig{}};
};

TEST_F(TransactionTableTest, BothWaysOfFinding) {
  const auto id = table_.add_server("k", true, true).id;
  EXPECT_EQ(table_.server(id)->key, "k");
  EXPECT_EQ(table_.server("k")->id, id);
  EXPECT_EQ(table_.client(id), nullptr); // one sequence of numbers, two kinds
  EXPECT_EQ(table_.server("other"), nullptr);
  EXPECT_EQ(table_.size(), 1U);
  table_.erase_server(id);
  EXPECT_EQ(table_.server("k"), nullptr);
  table_.erase_server(id);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(TransactionTableTest, ReferencesSurviveGrowth) {
  ServerTransaction& first = table_.add_server("k", true, true);
  for (int i = 0; i < 3000; ++i) table_.add_client("c" + std::to_string(i), i % 2 == 0, true);
  EXPECT_EQ(table_.server("k"), &first);
}

TEST_F(TransactionTableTest, ErasedTransactionsHaveNoDeadline) {
  const sip::TimePoint now{};
  ClientTransaction& client = table_.add_client("c", true, false);
  static_cast<void>(std::get<sip::InviteClientTransaction>(client.machine)
                        .start(std::make_shared<const std::string>("x"), now));
  table_.rearm(client);
  ASSERT_TRUE(table_.next_deadline());
  EXPECT_EQ(*table_.next_deadline(), now + std::chrono::milliseconds(500));
  table_.erase_client(client.id);
  EXPECT_FALSE(table_.next_deadline());
  EXPECT_FALSE(table_.pop_due(now + std::chrono::hours(1)));
}

TEST_F(TransactionTableTest, TimerCRunsBesideTheMachine) {
  const sip::TimePoint now{};
  ClientTransaction& client = table_.add_client("c", true, true);
  auto& machine = std::get<sip::InviteClientTransaction>(client.machine);
  static_cast<void>(machine.start(std::make_shared<const std::string>("x"), now));
  static_cast<void>(machine.on_response(180, nullptr, now));
  client.timer_c = now + std::chrono::seconds(185);
  table_.rearm(client);
  EXPECT_EQ(table_.next_deadline(), client.timer_c);
  client.timer_c.reset();
  table_.rearm(client);
  EXPECT_FALSE(table_.next_deadline());
}

} // namespace
} // namespace midcom
