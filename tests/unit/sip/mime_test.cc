// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/mime.h"

#include <chrono>

#include <gtest/gtest.h>

#include "sample_message.h"

namespace midcom::sip {
namespace {

std::string multipart(const std::string& body, const std::string& type = "mixed;boundary=b") {
  return "Content-Type: multipart/" + type + "\r\n\r\n" + body;
}

std::string part(const std::string& fields, const std::string& body = "x") {
  return "--b\r\n" + fields + "\r\n" + body + "\r\n";
}

std::string error_of(const Result<MimePart>& result) {
  return result ? "" : std::string(to_string(result.error()));
}

// "" when it passes.
std::string verdict(const std::string& entity, const MimeLimits& limits = {}) {
  return error_of(parse_mime_entity(entity, limits));
}

std::string outline(const MimePart& part) {
  std::string text = part.subtype;
  if (!part.is_multipart()) return text;
  text += '(';
  for (const MimePart& inner : part.parts) text += outline(inner) + ' ';
  text.back() = ')';
  return text;
}

TEST(Mime, ReadsTheExampleOfRfc2046) {
  const std::string entity = "From: Nathaniel Borenstein <nsb@example.com>\r\n"
                             "MIME-Version: 1.0\r\n"
                             "Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n"
                             "\r\n"
                             "This is the preamble.\r\n"
                             "\r\n"
                             "--simple boundary\r\n"
                             "\r\n"
                             "It does NOT end with a linebreak.\r\n"
                             "--simple boundary\r\n"
                             "Content-type: text/plain; charset=us-ascii\r\n"
                             "\r\n"
                             "It DOES end with a linebreak.\r\n"
                             "\r\n"
                             "--simple boundary--\r\n"
                             "\r\n"
                             "This is the epilogue.\r\n";
  const auto root = parse_mime_entity(entity, {});
  ASSERT_TRUE(root) << error_of(root);
  EXPECT_EQ(root->entity, entity);
  ASSERT_EQ(root->parts.size(), 2U);
  EXPECT_TRUE(root->parts[0].is("text", "plain"));
  EXPECT_EQ(root->parts[0].entity, "\r\nIt does NOT end with a linebreak.");
  EXPECT_EQ(root->parts[0].body, "It does NOT end with a linebreak.");
  EXPECT_EQ(root->parts[1].body, "It DOES end with a linebreak.\r\n");
  EXPECT_EQ(root->parts[1].parameter("Charset"), "us-ascii");
  EXPECT_EQ(root->parts[1].entity, "Content-type: text/plain; charset=us-ascii\r\n\r\nIt DOES end "
                                   "with a linebreak.\r\n");
}

TEST(Mime, BodyOfAMessageHasTheMessagesFields) {
  const auto message = sample_message("c: Multipart/Signed;protocol=\"application/pkcs7-signature\""
                                      ";micalg=sha-256;boundary=b1\r\n"
                                      "Content-ID: 1@atlanta.example.com\r\n"
                                      "Content-Transfer-Encoding: Binary\r\n"
                                      "Content-Disposition: Render;handling=optional\r\n",
                                      "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n"
                                      "--b1\r\nContent-Type: application/pkcs7-signature\r\n\r\n"
                                      "0\x82\r\n--b1--\r\n");
  ASSERT_NE(message, nullptr);
  const auto root = parse_mime_body(*message, {});
  ASSERT_TRUE(root) << error_of(root);
  EXPECT_TRUE(root->is("multipart", "signed"));
  EXPECT_EQ(root->entity, "");
  EXPECT_EQ(root->body, message->body());
  EXPECT_EQ(root->content_id, "1@atlanta.example.com");
  EXPECT_EQ(root->disposition, "render");
  EXPECT_EQ(root->handling, Handling::optional);
  EXPECT_EQ(root->parameter("micalg"), "sha-256");
  EXPECT_EQ(root->parameter("absent"), std::nullopt);
  ASSERT_EQ(root->parts.size(), 2U);
  // RFC 1847 2.1: the blank line before the boundary leaves one CRLF to the signed octets.
  EXPECT_EQ(root->parts[0].entity, "Content-Type: application/sdp\r\n\r\nv=0\r\n");
  EXPECT_EQ(root->parts[1].body, "0\x82");
}

// The message of RFC 6216 4.2: what was signed there is in the RFC too.
TEST(Mime, SignedOctetsOfRfc6216) {
  const auto message =
      sample_message("Content-Type: multipart/signed;boundary=3b515e121b43a911;micalg=sha1;"
                     "protocol=\"application/pkcs7-signature\"\r\n",
                     "--3b515e121b43a911\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Transfer-Encoding: binary\r\n"
                     "\r\n"
                     "Hello!\r\n"
                     "--3b515e121b43a911\r\n"
                     "Content-Type: application/pkcs7-signature;name=smime.p7s\r\n"
                     "Content-Disposition: attachment;handling=required;filename=smime.p7s\r\n"
                     "Content-Transfer-Encoding: binary\r\n"
                     "\r\n"
                     "--3b\r\n\n\r\r\n" // any octets
                     "\r\n--3b515e121b43a911--");
  const auto root = parse_mime_body(*message, {});
  ASSERT_TRUE(root) << error_of(root);
  EXPECT_EQ(root->parts[0].entity, "Content-Type: text/plain\r\n"
                                   "Content-Transfer-Encoding: binary\r\n"
                                   "\r\n"
                                   "Hello!");
  EXPECT_EQ(root->parts[1].body, "--3b\r\n\n\r\r\n");
}

TEST(Mime, BodyOfAMessageNeedsAType) {
  const auto none = sample_message();
  const auto root = parse_mime_body(*none, {});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->type, "");
  EXPECT_EQ(error_of(parse_mime_body(*sample_message("", "x"), {})), "missing-header");
  EXPECT_EQ(error_of(parse_mime_body(*sample_message("Content-Type: text/plain\r\n", "xx"),
                                     {.octets = 1})),
            "too-long");
  EXPECT_EQ(error_of(parse_mime_body(*sample_message("Content-Type: text\r\n", "x"), {})),
            "syntax");
  // The gate: a field that decides how the body is read stands once.
  EXPECT_EQ(sample_message("Content-ID: a@b\r\nContent-ID: a@b\r\n"), nullptr);
  EXPECT_EQ(sample_message("Content-Transfer-Encoding: binary\r\n"
                           "Content-Transfer-Encoding: base64\r\n"),
            nullptr);
}

TEST(Mime, AnEntityNeedsItsEmptyLine) {
  EXPECT_EQ(verdict("\r\n"), "");
  EXPECT_EQ(verdict("\r\nbody"), "");
  EXPECT_EQ(verdict(""), "truncated");
  EXPECT_EQ(verdict("Content-Type: text/plain\r\n"), "truncated");
  EXPECT_EQ(verdict("body"), "truncated");
  EXPECT_EQ(verdict("body\r\n\r\n"), "syntax");
  // In a part the CRLF before the boundary isn't the part's.
  EXPECT_EQ(verdict(multipart("--b\r\n\r\n\r\n--b--")), "");
  EXPECT_EQ(verdict(multipart("--b\r\n\r\n--b--")), "truncated");
  EXPECT_EQ(verdict(multipart("--b\r\nContent-Type: text/plain\r\n--b--")), "truncated");
  EXPECT_EQ(verdict(multipart("--b\r\nContent-Type: text/plain\r\n\r\n--b--")), "truncated");
  EXPECT_EQ(verdict(multipart("--b\r\nContent-Type: text/plain\r\n\r\n\r\n--b--")), "");
}

TEST(Mime, BoundaryAtTheVeryStartOrBehindAPreamble) {
  for (const char* before : {"", "\r\n", "preamble\r\n", "a\nb\rc\r\n", "--\r\n", "-- b\r\n"})
    for (const char* after : {"", "\r\n", "\r\nepilogue", "\r\n--\r\n"}) {
      const std::string entity = multipart(before + part("") + "--b--" + after);
      const auto root = parse_mime_entity(entity, {});
      ASSERT_TRUE(root) << entity;
      ASSERT_EQ(root->parts.size(), 1U);
      EXPECT_EQ(root->parts[0].body, "x");
    }
}

TEST(Mime, BoundaryStandsNowhereElse) {
  for (const char* body : {"preamble--b\r\n\r\nx\r\n--b--",   // in mid-line
                           "preamble\n--b\r\n\r\nx\r\n--b--", // after a bare LF
                           "preamble\r--b\r\n\r\nx\r\n--b--", // after a bare CR
                           "--b\r\n\r\nx\n--b--",             // the same at the end
                           "--b\r\n\r\nx--b--",
                           "--b\n\r\nx\r\n--b--",           // a delimiter line ends in CRLF
                           "--b\r\r\nx\r\n--b--",           //
                           "--b \r\n\r\nx\r\n--b--",        // padding
                           "--b\r\n\r\nx\r\n--b-- ",        //
                           "--b\r\n\r\nx\r\n--b--\t\r\n",   //
                           "--bc\r\n\r\nx\r\n--b--",        // the beginning of another
                           "--b\r\n\r\n--bc\r\n--b--",      //
                           "--b\r\n\r\nx\r\n--b-\r\n--b--", // neither one nor the other
                           "--b\r\n\r\nx\r\n--b--x",        //
                           "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n--b--", // parts behind the end
                           "--b\r\n\r\nx\r\n--b--\r\nsee --b",               //
                           "--b--",
                           "\r\n--b--\r\n", // no part
                           "--b\r\n--b--",
                           "--b\r\n--b\r\n\r\nx\r\n--b--"}) // no room for a part
    EXPECT_EQ(verdict(multipart(body)), "bad-boundary") << body;
}

TEST(Mime, TheFinalBoundaryMustBeThere) {
  for (const char* body : {"", "x", "--a--", "--b", "--b\r\n\r\nx", "--b\r\n\r\nx\r\n",
                           "--b\r\n\r\nx\r\n--b\r\n\r\ny"})
    EXPECT_NE(verdict(multipart(body)), "") << body;
  EXPECT_EQ(verdict(multipart("")), "truncated");
  EXPECT_EQ(verdict(multipart("--b\r\n\r\nx\r\n--b\r\n\r\ny")), "truncated");
}

TEST(Mime, BoundaryParameter) {
  const auto with_boundary = [](const std::string& parameter, const std::string& boundary) {
    return verdict(
        multipart("--" + boundary + "\r\n\r\nx\r\n--" + boundary + "--", "mixed" + parameter));
  };
  const std::string longest(70, 'a');
  EXPECT_EQ(with_boundary("; boundary=gc0p4Jq0M2Yt08j34c0p", "gc0p4Jq0M2Yt08j34c0p"), "");
  EXPECT_EQ(with_boundary(";boundary=\"gc0pJq0M:08jU534c0p\"", "gc0pJq0M:08jU534c0p"), "");
  EXPECT_EQ(with_boundary(";BOUNDARY=\"-\"", "-"), "");
  EXPECT_EQ(with_boundary(";boundary=\"a b'()+_,-./:=?c\"", "a b'()+_,-./:=?c"), "");
  EXPECT_EQ(with_boundary(";boundary=" + longest, longest), "");
  // RFC 2046 5.1.1 calls this one invalid: unquoted it ends at the colon for some.
  EXPECT_EQ(with_boundary(";boundary=gc0pJq0M:08jU534c0p", "gc0pJq0M:08jU534c0p"), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=" + longest + "a", longest + "a"), "bad-boundary");
  EXPECT_EQ(with_boundary("", ""), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary", ""), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=\"\"", ""), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=\"b \"", "b "), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=\"b\\\"c\"", "b\"c"), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=b*", "b*"), "bad-boundary");
  EXPECT_EQ(with_boundary(";boundary=b;boundary=b", "b"), "duplicate-header");
  EXPECT_EQ(with_boundary(";boundary=b;Boundary=c", "b"), "duplicate-header");
  EXPECT_EQ(with_boundary(";boundary*0=b;boundary=b", "b"), "unsupported");
  EXPECT_EQ(with_boundary(";boundary=b;boundary*=us-ascii''c", "b"), "unsupported");
  EXPECT_EQ(with_boundary(";boundary=b;", "b"), "truncated");
}

TEST(Mime, NestedMultiparts) {
  const std::string inner = "Content-Type: multipart/alternative;boundary=i\r\n\r\n"
                            "--i\r\n\r\n1\r\n--i\r\nContent-Type: a/c\r\n\r\n2\r\n--i--";
  const std::string entity =
      multipart("--b\r\n" + inner + "\r\n--b\r\nContent-Type: x/y\r\n\r\n3\r\n--b--\r\n");
  const auto root = parse_mime_entity(entity, {});
  ASSERT_TRUE(root) << error_of(root);
  EXPECT_EQ(outline(*root), "mixed(alternative(plain c) y)");
  EXPECT_EQ(root->parts[0].entity, inner);
}

TEST(Mime, NestedBoundariesMustNotBeginWithOneAnother) {
  const auto nested = [](const std::string& outer, const std::string& inner) {
    return verdict("Content-Type: multipart/mixed;boundary=" + outer + "\r\n\r\n--" + outer +
                   "\r\nContent-Type: multipart/mixed;boundary=" + inner + "\r\n\r\n--" + inner +
                   "\r\n\r\nx\r\n--" + inner + "--\r\n\r\n--" + outer + "--");
  };
  EXPECT_EQ(nested("one", "two"), "");
  EXPECT_EQ(nested("ab", "cab"), "");
  EXPECT_EQ(nested("one", "one"), "bad-boundary");
  EXPECT_EQ(nested("one", "one2"), "bad-boundary");
  EXPECT_EQ(nested("one2", "one"), "bad-boundary");
  // One inside the other, a level between them.
  const auto level = [](const std::string& boundary, const std::string& entity) {
    return "Content-Type: multipart/mixed;boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n" +
           entity + "\r\n--" + boundary + "--";
  };
  EXPECT_EQ(verdict(level("abc", level("x", level("d", "\r\n")))), "");
  EXPECT_EQ(verdict(level("abc", level("x", level("ab", "\r\n")))), "bad-boundary");
  // Beside one another they may be the same.
  const std::string leaf = level("i", "\r\n");
  EXPECT_EQ(verdict(multipart("--b\r\n" + leaf + "\r\n--b\r\n" + leaf + "\r\n--b--")), "");
}

TEST(Mime, AnInnerMultipartEndsInsideItsPart) {
  EXPECT_EQ(verdict(multipart("--b\r\nContent-Type: multipart/mixed;boundary=i\r\n\r\n"
                              "--i\r\n\r\nx\r\n--b\r\n\r\ny\r\n--i--\r\n--b--")),
            "truncated");
}

TEST(Mime, SignedHasTwoParts) {
  const auto with_parts = [](int count) {
    std::string body;
    for (int i = 0; i < count; ++i) body += part("");
    return verdict(multipart(body + "--b--", "signed;boundary=b"));
  };
  EXPECT_EQ(with_parts(1), "mismatch");
  EXPECT_EQ(with_parts(2), "");
  EXPECT_EQ(with_parts(3), "mismatch");
}

TEST(Mime, PartsOfADigestAreMessages) {
  const std::string entity = multipart(part("") + "--b--", "digest;boundary=b");
  EXPECT_EQ(outline(*parse_mime_entity(entity, {})), "digest(rfc822)");
}

TEST(Mime, LimitsOnParts) {
  const auto with_parts = [](std::size_t count) {
    std::string body;
    for (std::size_t i = 0; i < count; ++i) body += part("");
    return multipart(body + "--b--");
  };
  EXPECT_EQ(verdict(with_parts(32)), "");
  EXPECT_EQ(verdict(with_parts(33)), "too-many");
  EXPECT_EQ(verdict(with_parts(10000), {.octets = 1 << 20}), "too-many");
  EXPECT_EQ(verdict(with_parts(3), {.parts = 2}), "too-many");
  // In all: three of six parts hold one each.
  std::string body;
  for (int i = 0; i < 3; ++i)
    body += part("Content-Type: multipart/mixed;boundary=i\r\n", "--i\r\n\r\n\r\n--i--");
  EXPECT_EQ(verdict(multipart(body + "--b--"), {.parts = 6}), "");
  EXPECT_EQ(verdict(multipart(body + "--b--"), {.parts = 5}), "too-many");
}

TEST(Mime, LimitOnDepth) {
  const auto nested = [](int depth) {
    std::string entity = "\r\n";
    for (int i = depth; i > 0; --i) {
      const std::string boundary = "level" + std::to_string(1000 + i);
      entity.insert(0, "Content-Type: multipart/mixed;boundary=" + boundary + "\r\n\r\n--" +
                           boundary + "\r\n");
      entity += "\r\n--" + boundary + "--";
    }
    return entity;
  };
  EXPECT_EQ(verdict(nested(8)), "");
  EXPECT_EQ(verdict(nested(9)), "too-deep");
  EXPECT_EQ(verdict(nested(64)), "too-deep");
  EXPECT_EQ(verdict(nested(64), {.depth = 64, .parts = 64}), "");
}

TEST(Mime, LimitsOnSizes) {
  const std::string field = "A: " + std::string(995, 'x') + "\r\n"; // 1000 octets
  std::string fields;
  for (int i = 0; i < 8; ++i) fields += field;
  EXPECT_EQ(verdict(fields + "\r\n"), "");
  EXPECT_EQ(verdict(fields + field + "\r\n"), "too-long");
  EXPECT_EQ(verdict(fields + "\r\n", {.header_block = 8002}), "");
  EXPECT_EQ(verdict(fields + "\r\n", {.header_block = 8001}), "too-long");
  EXPECT_EQ(verdict(fields + "\r\n", {.fields = 7}), "too-many");
  EXPECT_EQ(verdict("\r\n" + std::string(65534, 'x')), "");
  EXPECT_EQ(verdict("\r\n" + std::string(65535, 'x')), "too-long");
}

TEST(Mime, ThreeMegabytesOfHeadersAreRefusedBeforeTheyAreRead) {
  std::string lines, folds = "X: y\r\n";
  while (lines.size() < 3000000) lines += "X-Header: y\r\n";
  while (folds.size() < 3000000) folds += " more\r\n";
  const MimeLimits no_octet_limit{.octets = 1 << 24};
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& fields : {lines, folds, std::string(3000000, 'x')})
    for (const std::string& entity :
         {fields + "\r\n", multipart("--b\r\n" + fields + "\r\nx\r\n--b--")}) {
      EXPECT_EQ(verdict(entity), "too-long");
      EXPECT_NE(verdict(entity, no_octet_limit), "");
    }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

} // namespace
} // namespace midcom::sip
