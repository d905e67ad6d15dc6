// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/seen_disclosures.h"

#include <gtest/gtest.h>

#include "tests/unit/daemon/gateway_config.h"

namespace midcom {
namespace {

using namespace std::chrono_literals;

sip::MessagePtr message(const std::string& extra) {
  return test::request("MESSAGE", "sip:bob@example.com", extra);
}

class SeenDisclosuresTest : public testing::Test {
protected:
  static Disclosure described(std::string text) {
    Disclosure disclosure;
    disclosure.description = std::move(text);
    return disclosure;
  }
  sip::TimePoint now{1000s};
  DisclosureTerms terms;
  DisclosureRun::Expected alice{{"sip:alice@example.com"}, {}};
  SeenDisclosures seen{180s, 4, 100};
};

TEST_F(SeenDisclosuresTest, AKeyNamesSenderBodyAndWhatIsBound) {
  const std::string fields = "Content-Type: text/plain\r\nContact: <sip:a@192.0.2.1>\r\n";
  const auto key = SeenDisclosures::key_of(*message(fields), "alice");
  EXPECT_EQ(SeenDisclosures::key_of(*message(fields + "Subject: x\r\n"), "alice"), key);
  EXPECT_NE(SeenDisclosures::key_of(*message(fields), "mallory"), key);
  for (const char* other :
       {"Content-Type: text/html\r\nContact: <sip:a@192.0.2.1>\r\n",
        "Content-Type: text/plain\r\nContact: <sip:a@192.0.2.66>\r\n",
        "Content-Type: text/plain\r\nContact: <sip:a@192.0.2.1>\r\nContent-Encoding: gzip\r\n",
        "Content-Type: text/plain\r\nContact: <sip:a@192.0.2.1>\r\n"
        "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n",
        "Content-Type: text/plain\r\nContact: <sip:a@192.0.2.1>\r\n"
        "Content-Disposition: early-session\r\n"})
    EXPECT_NE(SeenDisclosures::key_of(*message(other), "alice"), key) << other;
}

TEST_F(SeenDisclosuresTest, IsKeptForItsTime) {
  seen.keep("k", terms, alice, described("a"), now);
  EXPECT_EQ(seen.find("k", terms, alice, now + 179s)->description, "a");
  EXPECT_FALSE(seen.find("k", terms, alice, now + 180s));
  EXPECT_EQ(seen.size(), 0U);
  EXPECT_EQ(seen.octets(), 0U);
}

TEST_F(SeenDisclosuresTest, StricterTermsReadAgain) {
  terms.view = {"application/sdp"};
  terms.is_label_believed = true;
  seen.keep("k", terms, alice, described("a"), now);
  auto strict = terms;
  strict.view.emplace_back("text/plain");
  EXPECT_FALSE(seen.find("k", strict, alice, now));
  strict = terms;
  strict.verify = {"application/sdp"};
  EXPECT_FALSE(seen.find("k", strict, alice, now));
  strict = terms;
  strict.forwards_opaque = false;
  EXPECT_FALSE(seen.find("k", strict, alice, now));
  strict = terms;
  strict.accepts_legacy = false;
  EXPECT_FALSE(seen.find("k", strict, alice, now));
  strict = terms;
  strict.looks_for_description = true;
  EXPECT_FALSE(seen.find("k", strict, alice, now));
  EXPECT_FALSE(seen.find("k", terms, {{"sip:bob@example.com"}, {}}, now));
  EXPECT_TRUE(seen.find("k", {}, {}, now)); // laxer ones don't
  seen.keep("k", strict, alice, described("b"), now);
  EXPECT_EQ(seen.find("k", strict, alice, now)->description, "b");
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(SeenDisclosuresTest, NumberAndOctetsAreBounded) {
  for (int i = 0; i < 9; ++i) seen.keep(std::to_string(i), terms, alice, described("a"), now);
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_TRUE(seen.find("8", terms, alice, now));
  seen.keep("big", terms, alice, described(std::string(98, 'x')), now);
  EXPECT_EQ(seen.octets(), 100U);
  EXPECT_EQ(seen.size(), 3U);
  seen.keep("huge", terms, alice, described(std::string(101, 'x')), now);
  EXPECT_EQ(seen.size(), 0U);
  EXPECT_EQ(seen.octets(), 0U);
}

} // namespace
} // namespace midcom
