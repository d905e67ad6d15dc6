// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/edit_list.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/sip/sample_message.h"

namespace midcom::sip {
namespace {

TEST(EditList, WithoutEditsNothingChanges) {
  const auto message = sample_message("X:  odd   spacing \r\n\t folded\r\n", "body");
  EXPECT_EQ(EditList(*message).apply(), std::string(message->bytes()));
}

TEST(EditList, ComposedEditsOfAProxy) {
  const auto message = sample_message({}, "body");
  EditList edits(*message);
  edits.insert_field_before(HeaderName::via, "Via: SIP/2.0/TCP me;branch=1\r\n");
  edits.replace(message->request_uri().text, "sip:new@host");
  edits.replace(message->first(HeaderName::max_forwards)->value, "69");
  edits.erase_first_value(HeaderName::route);
  edits.insert_field_before(HeaderName::record_route, "Record-Route: <sip:me;lr>\r\n");
  edits.append_field("X: last\r\n");
  const auto out = edits.apply();
  ASSERT_TRUE(out);
  std::string expected =
      with(std::string(message->bytes()), "sip:bob@biloxi.example.com SIP", "sip:new@host SIP");
  expected =
      with(expected, "Via:", "Via: SIP/2.0/TCP me;branch=1\r\nRecord-Route: <sip:me;lr>\r\nVia:");
  expected = with(expected, "70", "69");
  expected = with(expected, "<sip:p1.example.com;lr>,\r\n ", "");
  expected = with(expected, "\r\n\r\nbody", "\r\nX: last\r\n\r\nbody");
  EXPECT_EQ(*out, expected);
  EXPECT_TRUE(Message::parse(*out, Framing::stream, {}));
}

TEST(EditList, ErasesValuesOverFields) {
  const auto message = sample_message("Route: <sip:p3.example.com;lr>\r\n");
  const auto routes_after = [&](std::size_t count) {
    EditList edits(*message);
    edits.erase_first_values(HeaderName::route, count);
    const auto next = Message::parse(edits.apply().value(), Framing::stream, {});
    std::string all;
    for (const std::string_view value : next.value()->values(HeaderName::route))
      all += value.substr(5, 2);
    return all;
  };
  EXPECT_EQ(routes_after(0), "p1p2p3");
  EXPECT_EQ(routes_after(1), "p2p3");
  EXPECT_EQ(routes_after(2), "p3");
  EXPECT_EQ(routes_after(3), "");
  EXPECT_EQ(routes_after(9), "");
}

TEST(EditList, OverlapAndOutsideAreErrors) {
  const auto message = sample_message({}, "body");
  const std::string_view line = message->first(HeaderName::to)->line;
  EditList overlap(*message);
  overlap.erase(line);
  overlap.replace(message->to().uri.text, "x");
  EXPECT_EQ(overlap.apply().error(), Error::overlap);
  EditList twice(*message);
  twice.erase(line);
  twice.erase(line);
  EXPECT_EQ(twice.apply().error(), Error::overlap);
  EditList touching(*message);
  touching.replace(line.substr(0, 4), "a");
  touching.replace(line.substr(4), "b");
  EXPECT_TRUE(touching.apply());
  const std::string elsewhere = "x";
  for (const std::string_view span :
       {std::string_view(elsewhere), message->body(), message->body().substr(0, 0),
        std::string_view{}, message->bytes()}) {
    EditList outside(*message);
    outside.replace(span, "y");
    EXPECT_EQ(outside.apply().error(), Error::outside);
  }
}

// Random edits against the plainest model there is: a text per gap and per octet.
TEST(EditList, RandomEditsMatchAModel) {
  std::mt19937 random(11);
  const auto message = sample_message({}, "the body");
  const std::string_view bytes = message->bytes();
  const std::size_t editable = bytes.size() - message->body().size() - 2;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> before(bytes.size() + 1), after_start(bytes.size() + 1);
    std::vector<bool> gone(bytes.size() + 1), covered(bytes.size() + 1);
    EditList edits(*message);
    bool overlaps = false;
    for (unsigned i = random() % 8; i > 0; --i) {
      const std::size_t offset = random() % (editable + 1);
      const std::size_t length = random() % std::min<std::size_t>(editable - offset + 1, 40);
      const std::string text(random() % 5, static_cast<char>('A' + i));
      edits.replace(bytes.substr(offset, length), text);
      if (length == 0) {
        overlaps = overlaps || (offset < bytes.size() && covered[offset]);
        before[offset] += text;
        continue;
      }
      after_start[offset] += text;
      for (std::size_t at = offset; at < offset + length; ++at) {
        overlaps = overlaps || gone[at] || (at > offset && !before[at].empty());
        gone[at] = true;
        covered[at] = at > offset;
      }
    }
    const auto out = edits.apply();
    if (!out) {
      EXPECT_EQ(out.error(), Error::overlap);
      continue; // empty inserts inside a span overlap too: the model need not know
    }
    EXPECT_FALSE(overlaps);
    std::string expected;
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
      expected += before[at] + after_start[at];
      if (at < bytes.size() && !gone[at]) expected += bytes[at];
    }
    EXPECT_EQ(*out, expected);
    EXPECT_TRUE(out->ends_with("\r\nthe body"));
  }
}

} // namespace
} // namespace midcom::sip
