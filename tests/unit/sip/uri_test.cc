// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/uri.h"

#include <gtest/gtest.h>

#include "sip/header_name.h"

namespace midcom::sip {
namespace {

Uri parsed(std::string_view text) {
  const auto uri = Uri::parse(text);
  EXPECT_TRUE(uri) << text;
  return uri.value_or(Uri{});
}

TEST(Uri, SplitsAllParts) {
  const Uri uri = parsed("sips:al%69ce:s3cret@[2001:db8::1]:5061;transport=tls;lr?subject=a&b=");
  EXPECT_EQ(uri.scheme, Uri::Scheme::sips);
  EXPECT_TRUE(uri.is_secure());
  EXPECT_EQ(uri.user, "al%69ce");
  EXPECT_EQ(uri.password, "s3cret");
  EXPECT_EQ(uri.host, "2001:db8::1");
  EXPECT_TRUE(uri.host_is_ipv6);
  EXPECT_EQ(uri.port, 5061);
  EXPECT_EQ(uri.parameters, "transport=tls;lr");
  EXPECT_EQ(uri.headers, "subject=a&b=");
  EXPECT_EQ(uri.parameter("TRANSPORT"), "tls");
  EXPECT_EQ(uri.parameter("lr"), "");
  EXPECT_EQ(uri.parameter("maddr"), std::nullopt);
}

TEST(Uri, AcceptsWhatTheGrammarAllows) {
  for (const char* text :
       {"sip:example.com", "SIP:a@b", "sip:user;par=u%40example.net@example.com",
        "sip:null-%00-null@example.com", "sip:+1-212-555:@gw.com;user=phone", "sip:h:65535",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too@e.com",
        "sip:example.com.", "sip:a-b.c", "sip:192.0.2.1", "tel:+358-555-1234567;postd=pp22",
        "soap.beep://192.0.2.103:3002", "isbn:2983792873", "http://www.example.com",
        "nobodyKnowsThisScheme:totallyopaquecontent", "sip:h;a=[b]/:&+$"})
    EXPECT_TRUE(Uri::parse(text)) << text;
}

TEST(Uri, RefusesTheRest) {
  for (const char* text : {"",
                           "sip:",
                           "sip",
                           "sip:@h",
                           "sip:a@",
                           "sip:a@b@c",
                           "sip:a b@c",
                           "sip:a@b c",
                           "<sip:a@b>",
                           "sip:a@b:0",
                           "sip:a@b:65536",
                           "sip:a@b:99999999999999999999",
                           "sip:a@b:",
                           "sip:a@b:+5",
                           "sip:%@b",
                           "sip:%4g@b",
                           "sip:a@-b",
                           "sip:a@b-",
                           "sip:a@b..c",
                           "sip:a@.",
                           "sip:a@1.2.3",
                           "sip:a@1.2.3.400",
                           "sip:a@01.2.3.4",
                           "sip:2001:db8::1",
                           "sip:a@[2001:db8::1",
                           "sip:a@[::g]",
                           "sip:a@[1.2.3.4]",
                           "sip:a@b;",
                           "sip:a@b;=x",
                           "sip:a@b;x=",
                           "sip:a@b;x=1;X=2",
                           "sip:a@b?",
                           "sip:a@b?x",
                           "sip:a@b/x",
                           "1sip:a@b",
                           ":a@b",
                           "sip:a\"@b",
                           "sip:a@b\r\n",
                           "tel:",
                           "x:a b",
                           "sip:a@b_c",
                           "sip:a<@b",
                           "sip:a#b@c",
                           "sip:a@b;lr;;x"})
    EXPECT_FALSE(Uri::parse(text)) << text;
  EXPECT_FALSE(Uri::parse(std::string_view("sip:a\0@b", 8)));
  EXPECT_EQ(Uri::parse("sip:a@1.2.3").error(), Error::bad_host);
  EXPECT_EQ(Uri::parse("sip:a@b:0").error(), Error::bad_port);
}

// The examples of RFC 3261 19.1.4.
TEST(Uri, ComparesAsTheRfcDoes) {
  const std::pair<const char*, const char*> equal[] = {
      {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
      {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
       "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
      {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
       "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
      {"sip:a@[2001:DB8:0::1]", "sip:a@[2001:db8::1]"},
  };
  for (const auto& [a, b] : equal) {
    EXPECT_TRUE(parsed(a).equivalent(parsed(b))) << a << " " << b;
    EXPECT_TRUE(parsed(b).equivalent(parsed(a))) << a << " " << b;
  }
  const std::pair<const char*, const char*> different[] = {
      {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
      {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
      {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
      {"sip:a@b", "sips:a@b"},
      {"sip:a%3bb@h", "sip:a;b@h"},
      {"sip:a@h", "sip:a:@h;user=phone"},
  };
  for (const auto& [a, b] : different) {
    EXPECT_FALSE(parsed(a).equivalent(parsed(b))) << a << " " << b;
    EXPECT_FALSE(parsed(b).equivalent(parsed(a))) << a << " " << b;
  }
}

TEST(Uri, GivesOneAddressOfRecord) {
  EXPECT_EQ(parsed("sips:%41lice:pw@EXAMPLE.com.:5061;lr?a=b").address_of_record(),
            "sip:Alice@example.com");
  EXPECT_EQ(parsed("sip:a%3bb@[2001:DB8::0:1]").address_of_record(), "sip:a%3Bb@[2001:db8::1]");
  EXPECT_EQ(parsed("sip:example.com").address_of_record(), "sip:example.com");
  EXPECT_EQ(parsed("tel:+1234").address_of_record(), "tel:+1234");
}

TEST(FindParameter, ReadsQuotedAndSpacedValues) {
  const std::string_view list = "a=\"x;b=y\" ; b\r\n = z;c;d=1=2";
  EXPECT_EQ(find_parameter(list, "A"), "x;b=y");
  EXPECT_EQ(find_parameter(list, "b"), "z");
  EXPECT_EQ(find_parameter(list, "c"), "");
  EXPECT_EQ(find_parameter(list, "d"), "1=2");
  EXPECT_EQ(find_parameter(list, "y"), std::nullopt);
  EXPECT_EQ(find_parameter("", "a"), std::nullopt);
  EXPECT_EQ(find_parameter("a=\"open", "a"), std::nullopt);
}

TEST(HeaderName, KnowsCompactFormsAndSpelling) {
  EXPECT_EQ(header_name("v"), HeaderName::via);
  EXPECT_EQ(header_name("VIA"), HeaderName::via);
  EXPECT_EQ(header_name("L"), HeaderName::content_length);
  EXPECT_EQ(header_name("x"), HeaderName::session_expires);
  EXPECT_EQ(header_name("C%6Fntact"), HeaderName::other);
  EXPECT_EQ(header_name(""), HeaderName::other);
  EXPECT_EQ(header_name("Proxy-Required-Body"), HeaderName::proxy_inspect_body);
  EXPECT_EQ(to_string(HeaderName::proxy_inspect_body), "Proxy-Inspect-Body");
  for (int i = 1; i <= static_cast<int>(HeaderName::www_authenticate); ++i) {
    const auto name = static_cast<HeaderName>(i);
    EXPECT_EQ(header_name(to_string(name)), name) << i;
  }
  EXPECT_TRUE(is_single(HeaderName::call_id));
  EXPECT_FALSE(is_single(HeaderName::via));
  EXPECT_FALSE(is_single(HeaderName::other));
}

TEST(Error, EveryOneHasItsWord) {
  EXPECT_EQ(to_string(Error::syntax), "syntax");
  EXPECT_EQ(to_string(Error::bad_content_length), "bad-content-length");
  EXPECT_EQ(to_string(Error::not_sip), "not-sip");
  EXPECT_EQ(to_string(Error::bad_date), "bad-date");
}

} // namespace
} // namespace midcom::sip
