// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/aib.h"

#include <gtest/gtest.h>

#include "sample_message.h"

namespace midcom::sip {
namespace {

// The example of RFC 3893 2.
const std::string example = "From: Alice <sip:alice@example.com>\r\n"
                            "To: Bob <sip:bob@example.net>\r\n"
                            "Contact: <sip:alice@pc33.example.com>\r\n"
                            "Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n"
                            "Call-ID: a84b4c76e66710\r\n"
                            "CSeq: 314159 INVITE\r\n";

std::string error_of(std::string_view sipfrag) {
  const auto aib = parse_aib(sipfrag);
  return aib ? "" : std::string(to_string(aib.error()));
}

TEST(Aib, ReadsTheExampleOfRfc3893) {
  const auto aib = parse_aib(example);
  ASSERT_TRUE(aib);
  EXPECT_EQ(aib->from, "sip:alice@example.com");
  EXPECT_EQ(aib->from_tag, "");
  EXPECT_EQ(aib->to, "sip:bob@example.net");
  EXPECT_EQ(aib->contact, "sip:alice@pc33.example.com");
  EXPECT_EQ(aib->date, 1014296523);
  EXPECT_EQ(aib->call_id, "a84b4c76e66710");
  EXPECT_EQ(aib->cseq, (AibCSeq{314159, "INVITE"}));
  EXPECT_TRUE(aib->others.empty());
  EXPECT_EQ(parse_aib(example + "\r\n"), aib); // with the empty line
}

TEST(Aib, ReadsAnyFormOfItsFields) {
  const auto aib = parse_aib("f: sip:alice@example.com;tag=1\r\n"
                             "t: \"B, o b\"\r\n <sip:bob@example.net;user=phone>;tag=2\r\n"
                             "m: sip:alice@pc33.example.com;expires=5\r\n"
                             "DATE:Thu, 21 Feb 2002 13:02:03 GMT\r\n"
                             "i: x@y\r\n"
                             "Proxy-Inspect-Body: gw;cid=\"1@h\"\r\n"
                             "X:\r\n");
  ASSERT_TRUE(aib);
  EXPECT_EQ(aib->from, "sip:alice@example.com");
  EXPECT_EQ(aib->from_tag, "1");
  EXPECT_EQ(aib->to, "sip:bob@example.net;user=phone");
  EXPECT_EQ(aib->to_tag, "2");
  EXPECT_EQ(aib->contact, "sip:alice@pc33.example.com");
  EXPECT_EQ(aib->cseq, std::nullopt);
  EXPECT_EQ(aib->others,
            (std::vector<AibField>{{"Proxy-Inspect-Body", "gw;cid=\"1@h\""}, {"X", ""}}));
}

TEST(Aib, RefusesWhatIsNoneOrReadsInTwoWays) {
  const auto changed = [](const char* from, const char* to) { return with(example, from, to); };
  EXPECT_EQ(error_of(""), "missing-header");
  EXPECT_EQ(error_of(changed("From: Alice", "X: Alice")), "missing-header");
  EXPECT_EQ(error_of(changed("Date", "X")), "missing-header");
  EXPECT_EQ(error_of(changed("Call-ID", "X")), "missing-header");
  for (const char* name : {"From", "f", "To", "t", "Date", "Call-ID", "i", "CSeq"}) {
    const std::string line = std::string(name) + ": sip:mallory@example.com\r\n";
    EXPECT_EQ(error_of(example + line), "duplicate-header") << name;
  }
  EXPECT_EQ(error_of(example + "m: <sip:mallory@example.com>\r\n"), "duplicate-header");
  EXPECT_EQ(error_of(example.substr(0, example.size() - 2)), "truncated"); // no CRLF
  EXPECT_EQ(error_of(changed("CSeq: 314159", "CSeq: 4294967296")), "bad-cseq");
  EXPECT_EQ(error_of(changed("21 Feb", "22 Feb")), "bad-date");
  EXPECT_EQ(error_of(changed("a84b4c76e66710", "a b")), "syntax");
  EXPECT_EQ(error_of(changed("<sip:alice@pc33.example.com>", "*")), "syntax");
  EXPECT_EQ(error_of(changed("<sip:alice@pc33.example.com>", "<sip:a@b>, <sip:c@d>")), "syntax");
  EXPECT_EQ(error_of(changed("<sip:alice@example.com>", "<>")), "bad-uri");
  EXPECT_EQ(error_of(changed("To: ", "To : ")), "syntax");
  EXPECT_EQ(error_of(changed("\r\nTo: ", "\nTo: ")), "control-character");
  EXPECT_EQ(error_of(with(example, "Bob", std::string("\0", 1))), "control-character");
  // A start line or a body.
  EXPECT_EQ(error_of("INVITE sip:bob@example.net SIP/2.0\r\n" + example), "syntax");
  EXPECT_EQ(error_of("SIP/2.0 200 OK\r\n" + example), "syntax");
  EXPECT_EQ(error_of(example + "\r\nv=0\r\n"), "unsupported");
  EXPECT_EQ(error_of(example + "\r\n\r\n"), "unsupported");
  EXPECT_EQ(error_of(example + "X: " + std::string(20000, 'x') + "\r\n"), "too-long");
}

TEST(Aib, IsReadAsItIsWritten) {
  Aib aib = parse_aib(example).value_or(Aib{});
  EXPECT_EQ(write_aib(aib), with(with(example, "Alice ", ""), "Bob ", ""));
  aib.from_tag = "1";
  aib.to_tag = "2";
  aib.others = {{"Proxy-Authorization", "Digest a=\"b\",\r\n c=d"}, {"X", ""}};
  const auto text = write_aib(aib);
  ASSERT_TRUE(text);
  EXPECT_EQ(parse_aib(*text), aib);
  Aib least;
  least.from = "tel:+358-555-1234567";
  least.call_id = "x";
  ASSERT_TRUE(write_aib(least));
  EXPECT_EQ(parse_aib(*write_aib(least)), least);
}

TEST(Aib, IsNotWrittenWhenItCannotBeRead) {
  const Aib good = parse_aib(example).value_or(Aib{});
  const auto refuses = [&](auto change) {
    Aib aib = good;
    change(aib);
    return !write_aib(aib);
  };
  EXPECT_TRUE(refuses([](Aib& aib) { aib.from = ""; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.from = "sip:a@b>;tag=1,<sip:c@d"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.from = "sip:a@b>\r\nX: <sip:c@d"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.to = "*"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.to.reset(), aib.to_tag = "1"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.call_id = "a\r\nX: y"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.cseq->method = "A B"; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.date = -1; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.others = {{"X", "a\r\nY: b"}}; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.others = {{"To", "<sip:a@b>"}}; }));
  EXPECT_TRUE(refuses([](Aib& aib) { aib.others = {{"X Y", "a"}}; }));
}

Aib sample_aib() {
  return {"sip:alice@atlanta.example.com",
          "",
          "sip:bob@biloxi.example.com",
          "",
          "3848276298220188511@atlanta.example.com",
          AibCSeq{2, "INVITE"},
          1014296523,
          "sip:alice@client.example.com",
          {}};
}

AibFault check(const Aib& aib, const std::string& extra = {}) {
  return check_aib(aib, *sample_message(extra));
}

TEST(AibCheck, ARequestIsBoundByEveryField) {
  EXPECT_EQ(check(sample_aib()), AibFault::none);
  const auto fault = [](auto change) {
    Aib aib = sample_aib();
    change(aib);
    return check(aib);
  };
  using enum AibFault;
  EXPECT_EQ(fault([](Aib& a) { a.from = "sip:mallory@atlanta.example.com"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.from = "sip:Alice@atlanta.example.com"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.from = "sips:alice@atlanta.example.com"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.from = "sip:alice@example.com"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.from = "nonsense"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.from_tag = "other"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.to = "sip:carol@biloxi.example.com"; }), to);
  EXPECT_EQ(fault([](Aib& a) { a.to_tag = "1"; }), to); // the request opens a dialog
  EXPECT_EQ(fault([](Aib& a) { a.to.reset(); }), missing_field);
  EXPECT_EQ(fault([](Aib& a) { a.call_id = "3848276298220188511@ATLANTA.example.com"; }), call_id);
  EXPECT_EQ(fault([](Aib& a) { a.cseq->number = 3; }), cseq);
  EXPECT_EQ(fault([](Aib& a) { a.cseq->method = "UPDATE"; }), cseq);
  EXPECT_EQ(fault([](Aib& a) { a.cseq.reset(); }), missing_field);
  EXPECT_EQ(fault([](Aib& a) { a.contact = "sip:alice@other.example.com"; }), contact);
  EXPECT_EQ(fault([](Aib& a) { a.contact = "sip:alice@client.example.com:5060"; }), contact);
  EXPECT_EQ(fault([](Aib& a) { a.contact.reset(); }), missing_field);
}

TEST(AibCheck, UrisAreComparedByTheRules) {
  Aib aib = sample_aib();
  aib.from = "SIP:%61lice@ATLANTA.example.com;transport=tls";
  aib.from_tag = "9fxced76sl";
  aib.to = "sip:bob@Biloxi.Example.com.";
  aib.contact = "sip:alice@CLIENT.example.com;unknown=1";
  EXPECT_EQ(check(aib), AibFault::none);
  const auto other = Uri::parse("sips:alice@[2001:db8::1]:5061");
  EXPECT_TRUE(is_same_address("sips:alice@[2001:DB8:0::1]", *other));
  EXPECT_FALSE(is_same_address("sip:alice@[2001:db8::1]", *other));
  EXPECT_FALSE(is_same_address("sips:[2001:db8::1]", *other));
}

TEST(AibCheck, TheDatesAreTheSameMoment) {
  EXPECT_EQ(check(sample_aib(), "Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n"), AibFault::none);
  EXPECT_EQ(check(sample_aib(), "Date: Thu, 21 Feb 2002 13:02:04 GMT\r\n"), AibFault::date);
  EXPECT_EQ(check(sample_aib(), "Date: now\r\n"), AibFault::date);
}

TEST(AibCheck, ContactStandsOnceOrNotAtAll) {
  EXPECT_EQ(check(sample_aib(), "Contact: <sip:alice@other.example.com>\r\n"), AibFault::contact);
  const auto without =
      Message::parse(with(sample_request(), "Contact: <sip:alice@client.example.com>\r\n", ""),
                     Framing::stream, {});
  ASSERT_TRUE(without);
  Aib aib = sample_aib();
  EXPECT_EQ(check_aib(aib, **without), AibFault::contact);
  aib.contact.reset();
  EXPECT_EQ(check_aib(aib, **without), AibFault::none);
}

TEST(AibCheck, AResponseIsTheRespondersOwn) {
  const std::string text = "SIP/2.0 200 OK\r\n"
                           "Via: SIP/2.0/TLS a.example.com;branch=z9hG4bK74bf9\r\n"
                           "From: <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
                           "To: <sip:bob@biloxi.example.com>;tag=8321\r\n"
                           "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
                           "CSeq: 2 INVITE\r\n"
                           "Contact: <sip:carol@pc.example.com>\r\n"
                           "Content-Length: 0\r\n\r\n";
  const auto response = Message::parse(text, Framing::stream, {});
  ASSERT_TRUE(response);
  Aib aib = sample_aib();
  aib.from = "sip:carol@chicago.example.com"; // the call was forwarded: policy says who may answer
  aib.from_tag = "8321";
  aib.to.reset();
  aib.contact = "sip:carol@pc.example.com";
  EXPECT_EQ(check_aib(aib, **response), AibFault::none);
  const auto fault = [&](auto change) {
    Aib changed = aib;
    change(changed);
    return check_aib(changed, **response);
  };
  using enum AibFault;
  EXPECT_EQ(fault([](Aib& a) { a.to = "sip:bob@biloxi.example.com"; }), to);
  EXPECT_EQ(fault([](Aib& a) { a.from_tag = "9fxced76sl"; }), from);
  EXPECT_EQ(fault([](Aib& a) { a.call_id = "x"; }), call_id);
  EXPECT_EQ(fault([](Aib& a) { a.cseq = AibCSeq{1, "INVITE"}; }), cseq);
  EXPECT_EQ(fault([](Aib& a) { a.cseq.reset(); }), missing_field);
  EXPECT_EQ(fault([](Aib& a) { a.contact.reset(); }), missing_field);
  // The request's own AIB is no answer.
  EXPECT_NE(check_aib(sample_aib(), **response), none);
}

TEST(AibCheck, FaultsHaveWords) {
  EXPECT_EQ(to_string(AibFault::none), "");
  EXPECT_EQ(to_string(AibFault::missing_field), "missing-field");
  EXPECT_EQ(to_string(AibFault::contact), "contact");
}

} // namespace
} // namespace midcom::sip
