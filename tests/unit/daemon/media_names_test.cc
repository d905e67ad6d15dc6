// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/media_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/gateway_config.h"

namespace midcom {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Family = sip::IpAddress::Family;

constexpr PeerIndex asking = 0, other_asking = 1, refusing = 2;

AgentConfig resolving_gateway() {
  AgentConfig config = test::gateway_config();
  config.peers[asking].resolves_media_names = config.peers[other_asking].resolves_media_names =
      true;
  return config;
}

// Reads every body as the description it is; held: later.
class Reader final : public BodyService {
public:
  bool is_held = false;
  std::vector<std::function<void()>> waiting;

  [[nodiscard]] std::optional<Disclosure> read(const sip::MessagePtr& message, const Sender&,
                                               Then then, sip::TimePoint now) override {
    Disclosure read;
    read.description = message->body();
    if (!is_held) return read;
    turns_.begin(message->call_id());
    waiting.emplace_back([this, read, then, message, now] {
      then(read, now);
      turns_.end(std::string(message->call_id()), now);
    });
    return std::nullopt;
  }
  [[nodiscard]] Offer offer_to(const sip::Message&) const override { return {"a/b", "octets"}; }
  [[nodiscard]] std::string announced_policy(PeerIndex) const override { return "policy"; }
};

class MediaNamesTest : public testing::Test, public NamePort, public EventLog {
protected:
  void look_up(std::uint64_t question, const std::string& name, Family family) override {
    asked_.push_back(question);
    names_.push_back(name + (family == Family::ipv4 ? " A" : " AAAA"));
  }
  void write(const Event& event) override {
    log_.push_back(std::string(event.name()) + " " + std::string(event.field("host")) + " " +
                   std::string(event.field(event.name() == "name.pin" ? "address" : "reason")));
  }

  static sip::MessagePtr invite(const std::string& call_id, const std::string& lines,
                                const std::string& method = "INVITE") {
    const std::string body = "v=0\r\no=- 1 1 IN IP4 10.1.0.10\r\ns=-\r\nt=0 0\r\n"
                             "m=audio 4000 RTP/AVP 0\r\n" +
                             lines;
    auto message = sip::Message::parse(
        method +
            " sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=f\r\n"
            "To: <sip:bob@example.com>\r\nCall-ID: " +
            call_id + "\r\nCSeq: 1 " + method +
            "\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body,
        sip::Framing::stream, {});
    EXPECT_TRUE(message.has_value());
    return message ? *message : nullptr;
  }

  // "CALL NAME=ADDRESS ..." (with ! when at once) goes to done_.
  void read(const std::string& call_id, const std::string& lines, PeerIndex peer = asking,
            const std::string& method = "INVITE") {
    FlowEntry from;
    from.peer = peer;
    const auto now = service_.read(
        invite(call_id, lines, method), {.from = from},
        [this, call_id](const Disclosure& read, sip::TimePoint) { note(call_id, read); }, now_);
    if (now) note(call_id + "!", *now);
  }
  void note(std::string text, const Disclosure& read) {
    for (const auto& [name, address] : read.names)
      text += " " + name.name + "=" + address.to_string();
    done_.push_back(std::move(text));
  }
  void defer(const std::string& call_id, const std::string& name) {
    service_.defer(call_id, [this, name](sip::TimePoint) { done_.push_back(name); });
  }
  void answer(std::size_t index, const std::vector<std::string>& texts) {
    std::vector<sip::IpAddress> addresses;
    for (const auto& text : texts) addresses.push_back(test::address(text));
    service_.on_name(asked_.at(index), addresses, now_);
  }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    service_.on_timer(now_);
  }

  AgentConfig config_ = resolving_gateway();
  PeerDirectory peers_{config_};
  Reader reader_;
  PinnedNames pinned_;
  MediaNames service_{config_, peers_,
                      reader_, *this,
                      *this,   [this](const sip::Message&, std::string_view) { return pinned_; }};
  sip::TimePoint now_{1000s};
  std::vector<std::uint64_t> asked_;
  std::vector<std::string> names_, log_, done_;
};

const std::string named = "c=IN IP4 a.example\r\n";

TEST_F(MediaNamesTest, WhatNeedsNoLookupGoesOnAtOnce) {
  read("literal", "c=IN IP4 192.0.2.1\r\n");
  read("refusing", named, refusing);
  read("stranger", named, no_peer);
  read("page", named, asking, "MESSAGE");
  read("broken", "c=IN IP4\r\n");
  EXPECT_THAT(done_, ElementsAre("literal!", "refusing!", "stranger!", "page!", "broken!"));
  EXPECT_THAT(names_, IsEmpty());
  EXPECT_FALSE(service_.next_deadline());
}

TEST_F(MediaNamesTest, AllNamesOfADescriptionAreAwaited) {
  read("c1", "c=IN IP6 A.example\r\na=rtcp:5 IN IP4 b.example\r\n"
             "a=candidate:1 1 UDP 1 c.example 4000 typ host\r\n");
  EXPECT_THAT(names_,
              ElementsAre("a.example AAAA", "b.example A", "c.example AAAA", "c.example A"));
  EXPECT_TRUE(service_.is_busy("c1"));
  answer(3, {"192.0.2.3"});
  answer(1, {"192.0.2.2", "192.0.2.9"});
  answer(0, {});
  EXPECT_THAT(done_, IsEmpty());
  answer(2, {"2001:db8::3"});
  EXPECT_THAT(done_, ElementsAre("c1 b.example=192.0.2.2 c.example=2001:db8::3"));
  EXPECT_THAT(log_, ElementsAre("name.fail a.example no-address", "name.pin b.example 192.0.2.2",
                                "name.pin c.example 2001:db8::3"));
  EXPECT_FALSE(service_.is_busy("c1"));
  EXPECT_FALSE(service_.next_deadline());
  EXPECT_EQ(service_.waiting(), 0U);
}

TEST_F(MediaNamesTest, AddressesThatAreNoAnswer) {
  read("c1", named);
  answer(0, {"0.0.0.0", "2001:db8::1", "192.0.2.7"});
  read("c2", named);
  answer(1, {"0.0.0.0"});
  EXPECT_THAT(done_, ElementsAre("c1 a.example=192.0.2.7", "c2"));
}

TEST_F(MediaNamesTest, TheTimeIsUpForAll) {
  read("c1", named + "a=candidate:1 1 UDP 1 b.example 4000 typ host\r\n");
  answer(2, {"192.0.2.2"}); // b.example has said nothing of IPv6 yet
  EXPECT_EQ(service_.next_deadline(), now_ + 2s);
  pass(1999ms);
  EXPECT_THAT(done_, IsEmpty());
  pass(1ms);
  EXPECT_THAT(done_, ElementsAre("c1 b.example=192.0.2.2"));
  EXPECT_EQ(log_.front(), "name.fail a.example timeout");
  answer(0, {"192.0.2.1"}); // nobody waits any more
  EXPECT_THAT(done_, SizeIs(1));
}

TEST_F(MediaNamesTest, LaterMessagesOfTheCallKeepTheirOrder) {
  reader_.is_held = true;
  read("c1", named);
  EXPECT_TRUE(service_.is_busy("c1"));
  defer("c1", "first");
  reader_.is_held = false;
  reader_.waiting.front()(); // read, and now looked up: who waited waits on
  EXPECT_THAT(done_, ElementsAre("first")) << "a turn that doesn't ask is_busy() runs";
  defer("c1", "second");
  defer("c1", "third");
  EXPECT_FALSE(service_.is_busy("c2"));
  answer(0, {"192.0.2.1"});
  EXPECT_THAT(done_, ElementsAre("first", "c1 a.example=192.0.2.1", "second", "third"));
}

TEST_F(MediaNamesTest, WhatIsPinnedIsNotAskedFor) {
  pinned_.names = {{{"a.example", Family::ipv4}, test::address("192.0.2.1")}};
  read("c1", named);
  EXPECT_THAT(done_, ElementsAre("c1! a.example=192.0.2.1"));
  read("c2", named + "a=rtcp:5 IN IP4 b.example\r\n");
  EXPECT_THAT(names_, ElementsAre("b.example A"));
  answer(0, {"192.0.2.2"});
  EXPECT_EQ(done_.back(), "c2 a.example=192.0.2.1 b.example=192.0.2.2");
  pinned_ = {.names = {}, .is_whole = true};
  read("c3", named);
  EXPECT_EQ(done_.back(), "c3!");
  EXPECT_THAT(names_, SizeIs(1));
}

TEST_F(MediaNamesTest, NamesOfOneDescription) {
  std::string lines = named;
  for (std::size_t i = 1; i < MediaNames::most_names; ++i)
    lines += "a=candidate:1 1 UDP 1 n" + std::to_string(i) + ".example 4000 typ host\r\n";
  read("most", lines);
  EXPECT_THAT(names_, SizeIs(2 * MediaNames::most_names - 1));
  read("more", lines + "a=rtcp:5 IN IP4 b.example\r\n");
  EXPECT_THAT(names_, SizeIs(2 * MediaNames::most_names - 1));
  EXPECT_THAT(done_, ElementsAre("more!"));
  EXPECT_THAT(log_, ElementsAre("name.fail a.example too-many"));
}

// A peer that floods takes no more than its share, and the next one has one too.
TEST_F(MediaNamesTest, DescriptionsAtATime) {
  for (std::size_t i = 0; i < MediaNames::most_of_peer + 5; ++i)
    read("c" + std::to_string(i), named);
  EXPECT_EQ(service_.waiting(), MediaNames::most_of_peer);
  EXPECT_THAT(done_, SizeIs(5));
  EXPECT_EQ(log_.back(), "name.fail a.example overload");
  read("other", named, other_asking);
  EXPECT_EQ(service_.waiting(), MediaNames::most_of_peer + 1);
  pass(2s);
  EXPECT_EQ(service_.waiting(), 0U);
  EXPECT_THAT(done_, SizeIs(MediaNames::most_of_peer + 6));
  read("again", named);
  EXPECT_EQ(service_.waiting(), 1U);
}

TEST_F(MediaNamesTest, TheRestIsTheReaders) {
  EXPECT_EQ(service_.offer_to(*invite("c1", named)).octets, "octets");
  EXPECT_EQ(service_.announced_policy(0), "policy");
}

} // namespace
} // namespace midcom
