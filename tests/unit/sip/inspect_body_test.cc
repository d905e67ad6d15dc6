// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/inspect_body.h"

#include <gtest/gtest.h>

#include "sample_message.h"

namespace midcom::sip {
namespace {

// "host: id id", or the error's word in "!".
std::string read(std::string_view value) {
  const auto label = parse_inspect_body(value);
  if (!label) return "!" + std::string(to_string(label.error()));
  std::string text = label->host + ':';
  for (const std::string& id : label->content_ids) text += ' ' + id;
  return text;
}

TEST(InspectBody, Grammar) {
  EXPECT_EQ(read("gw.example.com;cid=\"part1@host\""), "gw.example.com: part1@host");
  EXPECT_EQ(read("GW.Example.COM. ; CID = \"Part1@Host\""), "gw.example.com: Part1@Host");
  EXPECT_EQ(read("a;cid=\"1@h\",cid=\"2@h\" , cid=\"3@[2001:db8::1]\""),
            "a: 1@h 2@h 3@[2001:db8::1]");
  EXPECT_EQ(read("a;cid=\"1@h\";x;y=z;q=\"a,b\""), "a: 1@h");
  EXPECT_EQ(read("192.0.2.1;cid=\"a.b!-*_+'`~%@h-1.x\""), "192.0.2.1: a.b!-*_+'`~%@h-1.x");
  EXPECT_EQ(read("[2001:DB8:0::1];cid=\"1@h\""), "2001:db8::1: 1@h");
}

TEST(InspectBody, WhatTheDraftsExamplesShow) {
  EXPECT_EQ(read("ss1.atlanta.example.com;\r\n  cid=1234@atlanta.example.com"),
            "ss1.atlanta.example.com: 1234@atlanta.example.com");
  EXPECT_EQ(read("a;cid=1@h,cid=\"2@h\""), "a: 1@h 2@h");
  EXPECT_EQ(read("a;cid=\"<1@h>\",cid=<2@h>;x=y"), "a: 1@h 2@h");
}

TEST(InspectBody, RefusesTheRest) {
  for (const char* value :
       {"", "a", "a;", ";cid=\"1@h\"", "a;x=y", "a;x=y;cid=\"1@h\"", "a;cid",
        "a;cid=", "a;cid=\"\"", "a;cid=\"1\"", "a;cid=\"@h\"", "a;cid=\"1@\"", "a;cid=\"1@h@i\"",
        "a;cid=\".1@h\"", "a;cid=\"1.@h\"", "a;cid=\"1..2@h\"", "a;cid=\"1@.h\"", "a;cid=\"1@h",
        "a;cid=\"1 @h\"", "a;cid=\"1@h\"x", "a;cid=\"1@h\",", "a;cid=\"1@h\",\"2@h\"",
        "a;cid=\"<1@h\"", "a;cid=\"1@h>\"", "a;cid=\"<>\"", "a:5060;cid=\"1@h\"", "a b;cid=\"1@h\"",
        "a_b;cid=\"1@h\"", "[::1;cid=\"1@h\"", "a;cid=1@h\"2@h\"", "a;cid=\"1\\@h\"",
        // Two values in one line: whose is the second list?
        "a;cid=\"1@h\", b;cid=\"2@h\"", "a;cid=\"1@h\";cid=\"2@h\"", "a;cid=\"1@h\";CID=x"})
    EXPECT_TRUE(read(value).starts_with('!')) << value << " -> " << read(value);
  EXPECT_EQ(read("a;cid=\"1@h\";cid=\"2@h\""), "!duplicate-header");
}

TEST(InspectBody, HasALimit) {
  std::string value = "a;cid=\"0@h\"";
  for (std::size_t i = 1; i < maximum_content_ids; ++i) value += ",cid=\"1@h\"";
  EXPECT_EQ(parse_inspect_body(value)->content_ids.size(), maximum_content_ids);
  EXPECT_EQ(read(value + ",cid=\"1@h\""), "!too-many");
}

TEST(InspectBody, IsWrittenByTheGrammar) {
  EXPECT_EQ(write_inspect_body({"gw.example.com", {"1@h"}}), "gw.example.com;cid=\"1@h\"");
  EXPECT_EQ(write_inspect_body({"GW.example.com.", {"1@h", "2@h"}}),
            "gw.example.com;cid=\"1@h\",cid=\"2@h\"");
  for (const InspectBody& label :
       {InspectBody{"gw.example.com", {"1@h"}}, InspectBody{"192.0.2.1", {"1@h", "2@[::1]"}},
        InspectBody{"2001:db8::1", {"a.b@c.d", "e@f", "g@h"}}}) {
    const auto value = write_inspect_body(label);
    ASSERT_TRUE(value) << label.host;
    EXPECT_EQ(parse_inspect_body(*value), label) << *value;
  }
  for (const InspectBody& label :
       {InspectBody{"", {"1@h"}}, InspectBody{"a", {}}, InspectBody{"a", {""}},
        InspectBody{"a", {"1@h", "<2@h>"}}, InspectBody{"a;b", {"1@h"}},
        InspectBody{"a", {"1@h\"\r\nX: y"}}, InspectBody{"a\r\n", {"1@h"}},
        InspectBody{"a", std::vector<std::string>(maximum_content_ids + 1, "1@h")}})
    EXPECT_FALSE(write_inspect_body(label)) << label.host;
}

TEST(InspectBody, LabelsForUs) {
  const auto message = sample_message("Proxy-Inspect-Body: other.example.com;cid=\"9@h\"\r\n"
                                      "Proxy-Inspect-Body: GW.example.com;cid=\"1@h\"\r\n"
                                      "Proxy-Required-Body: gw.example.com;cid=2@h\r\n"
                                      "Proxy-Inspect-Body: broken.example.com;nonsense\r\n"
                                      "Proxy-Inspect-Body: <<>>\r\n"
                                      "Proxy-Inspect-Body: [2001:DB8::1];cid=3@h\r\n");
  ASSERT_NE(message, nullptr);
  const std::vector<std::string> names{"gw.example.com", "2001:db8::1"};
  const auto labels = labels_for(*message, names);
  ASSERT_TRUE(labels);
  ASSERT_EQ(labels->size(), 3U);
  EXPECT_EQ((*labels)[0].inspect.content_ids, std::vector<std::string>{"1@h"});
  EXPECT_EQ((*labels)[0].field->line, "Proxy-Inspect-Body: GW.example.com;cid=\"1@h\"\r\n");
  EXPECT_EQ((*labels)[1].field->name, "Proxy-Required-Body");
  EXPECT_EQ((*labels)[2].inspect.content_ids, std::vector<std::string>{"3@h"});
  EXPECT_TRUE(labels_for(*message, {})->empty());
}

TEST(InspectBody, AWrongLabelForUsIsAnError) {
  const std::vector<std::string> names{"gw.example.com"};
  for (const char* value : {"gw.example.com", "GW.example.com.;cid", "gw.example.com:5061;cid=1@h",
                            "gw.example.com;cid=\"1@h\", other;cid=\"2@h\""}) {
    const auto message = sample_message("Proxy-Inspect-Body: " + std::string(value) + "\r\n");
    EXPECT_FALSE(labels_for(*message, names)) << value;
  }
}

TEST(InspectBody, NamesAreCompared) {
  EXPECT_EQ(canonical_middle_name("Gw.Example.Com."), "gw.example.com");
  EXPECT_EQ(canonical_middle_name("2001:DB8::0:1"), "2001:db8::1");
  EXPECT_EQ(canonical_middle_name("[2001:DB8::0:1]"), "2001:db8::1");
  for (const char* name : {"", "a b", "a:5060", "-", "a;b"})
    EXPECT_FALSE(canonical_middle_name(name)) << name;
}

} // namespace
} // namespace midcom::sip
