// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/name_addr.h"

#include <gtest/gtest.h>

#include "sip/via.h"

namespace midcom::sip {
namespace {

TEST(NameAddr, ReadsQuotedNameAndParameters) {
  const auto address = NameAddr::parse(
      " \"A. \\\"B\\\" <C>, D\"\r\n <sip:a@b;lr?x=y> ;\r\n tag = 1 ; +sip.instance=\"<urn:x;y>\" ");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->display_name, "\"A. \\\"B\\\" <C>, D\"");
  EXPECT_EQ(address->uri.text, "sip:a@b;lr?x=y");
  EXPECT_EQ(address->tag(), "1");
  EXPECT_EQ(address->parameter("+SIP.instance"), "<urn:x;y>");
  EXPECT_EQ(address->parameter("lr"), std::nullopt);
}

TEST(NameAddr, WithoutBracketsParametersAreTheHeaders) {
  const auto address = NameAddr::parse("sip:a@b;lr;tag=x");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->uri.text, "sip:a@b");
  EXPECT_EQ(address->uri.parameters, "");
  EXPECT_EQ(address->parameter("lr"), "");
  EXPECT_EQ(address->tag(), "x");
}

TEST(NameAddr, AcceptsVariants) {
  for (const char* text :
       {"caller<sip:a@b>", "A token name <sip:a@b>", "<sip:a@b>", "\"\" <sip:a@b>",
        "tel:+1234;tag=x", "<urn:service:sos>",
        "a~`*+% <sip:a@b>;tag=z9=", "<sip:a@b>;expires=3600;q=0.5", "*", "sip:a@b ;tag=1"})
    EXPECT_TRUE(NameAddr::parse(text)) << text;
  EXPECT_TRUE(NameAddr::parse("*")->is_star);
}

TEST(NameAddr, RefusesTheRest) {
  for (const char* text : {"",
                           "<sip:a@b",
                           "sip:a@b>",
                           "<sip:a@b >",
                           "< sip:a@b>",
                           "\"open <sip:a@b>",
                           "Bell, Alex <sip:a@b>",
                           "sip:a@b?x=y",
                           "sip:a@b,c",
                           "<sip:a@b>;",
                           "<sip:a@b>;;x",
                           "<sip:a@b>;tag=",
                           "<sip:a@b> x",
                           "<sip:a@b>;tag=1;tag=2",
                           "<sip:a@b>;a=\"x",
                           "<>",
                           "\"n\" sip:a@b",
                           "<sip:a@b>, <sip:c@d>",
                           "*;x",
                           "<sip:a@b>x=y",
                           "name <sip:a@b><sip:c@d>"})
    EXPECT_FALSE(NameAddr::parse(text)) << text;
}

TEST(NameAddr, HasABoundOnParameters) {
  std::string text = "<sip:a@b>";
  for (int i = 0; i < 64; ++i) text += ";p" + std::to_string(i);
  EXPECT_TRUE(NameAddr::parse(text));
  EXPECT_EQ(NameAddr::parse(text + ";q").error(), Error::too_many);
}

TEST(SplitList, SplitsAtTopLevelOnly) {
  const auto values = split_list("<sip:a,b@c> , \"x, \\\" y\" <sip:d>;e=\"f,g\",\r\n h");
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 3U);
  EXPECT_EQ((*values)[0], "<sip:a,b@c>");
  EXPECT_EQ((*values)[1], "\"x, \\\" y\" <sip:d>;e=\"f,g\"");
  EXPECT_EQ((*values)[2], "h");
  for (const char* text : {"", " ", ",", "a,", ",a", "a,,b", "\"a", "<a", "a,\"b\\\""})
    EXPECT_FALSE(split_list(text)) << text;
}

} // namespace
} // namespace midcom::sip
