// SPDX-License-Identifier: GPL-3.0-or-later
// Read by way of a part, where they must also be found.
#include "sip/content_fields.h"

#include <gtest/gtest.h>

namespace midcom::sip {
namespace {

std::string multipart(const std::string& body, const std::string& type = "mixed;boundary=b") {
  return "Content-Type: multipart/" + type + "\r\n\r\n" + body;
}

std::string part(const std::string& fields, const std::string& body = "x") {
  return "--b\r\n" + fields + "\r\n" + body + "\r\n";
}

// One part whose header block is `fields`.
Result<MimePart> parse_fields(const std::string& fields) {
  static std::string kept;
  kept = multipart(part(fields) + "--b--");
  return parse_mime_entity(kept, {});
}

std::string error_of(const Result<MimePart>& result) {
  return result ? "" : std::string(to_string(result.error()));
}

// "" when it passes.
std::string verdict(const std::string& entity) {
  return error_of(parse_mime_entity(entity, {}));
}

TEST(ContentFields, FieldsOfAPart) {
  const auto root = parse_fields("Content-Type: Application / PKCS7-MIME ;\r\n"
                                 " smime-type=auth-enveloped-data ;name=\"a\\\"b;c\"\r\n"
                                 "Content-ID: <1234@atlanta.example.com>\r\n"
                                 "Content-Transfer-Encoding: BASE64\r\n"
                                 "Content-Disposition: attachment;filename*=utf-8''s.p7m;"
                                 "handling=Optional\r\n"
                                 "X-Other: y\r\nX-Other: z\r\n");
  ASSERT_TRUE(root) << error_of(root);
  const MimePart& one = root->parts[0];
  EXPECT_TRUE(one.is("application", "pkcs7-mime"));
  EXPECT_EQ(one.parameter("smime-type"), "auth-enveloped-data");
  EXPECT_EQ(one.parameter("name"), "a\"b;c");
  EXPECT_EQ(one.content_id, "1234@atlanta.example.com");
  EXPECT_EQ(one.encoding, TransferEncoding::base64);
  EXPECT_EQ(one.disposition, "attachment");
  EXPECT_EQ(one.handling, Handling::optional);
  EXPECT_FALSE(one.has_content_encoding);
  EXPECT_TRUE(parse_fields("Content-Encoding: gzip\r\n")->parts[0].has_content_encoding);
  EXPECT_EQ(parse_fields("Content-ID: 1234@atlanta\r\n")->parts[0].content_id, "1234@atlanta");
}

TEST(ContentFields, TransferEncodings) {
  for (const char* word : {"7bit", "8BIT", "binary", "Quoted-Printable", "base64"})
    EXPECT_TRUE(parse_fields("Content-Transfer-Encoding: " + std::string(word) + "\r\n")) << word;
  for (const char* word : {"", "x-uuencode", "base64;a=b", "7 bit", "\"base64\"", "base 64"})
    EXPECT_EQ(error_of(parse_fields("Content-Transfer-Encoding: " + std::string(word) + "\r\n")),
              "unsupported")
        << word;
  // RFC 2045 6.4.
  EXPECT_EQ(verdict("Content-Transfer-Encoding: base64\r\n" + multipart(part("") + "--b--")),
            "bad-encoding");
  EXPECT_EQ(verdict("Content-Transfer-Encoding: 8bit\r\n" + multipart(part("") + "--b--")), "");
  EXPECT_EQ(verdict("Content-Encoding: gzip\r\n" + multipart(part("") + "--b--")), "unsupported");
}

TEST(ContentFields, RefusesFieldsThatReadInTwoWays) {
  const struct {
    const char* fields;
    const char* error;
  } rows[] = {
      {"Content-Type: a/b\r\nContent-Type: a/b\r\n", "duplicate-header"},
      {"Content-Type: a/b\r\ncontent-type: c/d\r\n", "duplicate-header"},
      {"Content-ID: <a@b>\r\nContent-ID: <c@d>\r\n", "duplicate-header"},
      {"Content-Disposition: aib\r\nContent-Disposition: aib\r\n", "duplicate-header"},
      {"Content-Transfer-Encoding: 7bit\r\nContent-transfer-encoding: 7bit\r\n",
       "duplicate-header"},
      {"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "duplicate-header"},
      {"Content-Language: en\r\nCONTENT-LANGUAGE: fi\r\n", "duplicate-header"},
      {"Content-Length: 1\r\nContent-Length: 1\r\n", "duplicate-header"},
      {"Content-Disposition: a;handling=required;handling=optional\r\n", "duplicate-header"},
      {"c: application/sdp\r\n", "syntax"},
      {"e: gzip\r\n", "syntax"},
      {"l: 1\r\n", "syntax"},
      {"Content-Type: \r\n", "syntax"},
      {"Content-Type: application\r\n", "syntax"},
      {"Content-Type: /sdp\r\n", "syntax"},
      {"Content-Type: application/\r\n", "syntax"},
      {"Content-Type: application/sdp text/plain\r\n", "syntax"},
      {"Content-Type: application/sdp, text/plain\r\n", "syntax"},
      {"Content-Type: application/sdp (comment)\r\n", "syntax"},
      {"Content-Type: a/b;name=\"open\r\n", "truncated"},
      {"Content-Type: a/b;smime-type*0=x\r\n", "unsupported"},
      {"Content-Disposition: \r\n", "syntax"},
      {"Content-Disposition: session render\r\n", "syntax"},
      {"Content-Disposition: session;handling*=us-ascii''optional\r\n", "unsupported"},
      {"Content-ID: \r\n", "syntax"},
      {"Content-ID: <>\r\n", "syntax"},
      {"Content-ID: <a@b\r\n", "syntax"},
      {"Content-ID: a@b>\r\n", "syntax"},
      {"Content-ID: <a@b> <c@d>\r\n", "syntax"},
      {"Content-ID: a b\r\n", "syntax"},
      {"Content-Length: 2\r\n", "bad-content-length"},
      {"Content-Length: 0\r\n", "bad-content-length"},
      {"Content-Length: -1\r\n", "bad-content-length"},
      {"Content-Type : a/b\r\n", "syntax"},
      {" Content-Type: a/b\r\n", "syntax"},
      {"Content-Type: a/b\r\n \r\n", "syntax"},
      {"Content-Type\r\n", "syntax"},
      {"Content-Type: a/b\nContent-ID: <a@b>\r\n", "control-character"},
      {"Content-Type: a/b\rContent-ID: <a@b>\r\n", "control-character"},
      {"Content-Type: a/b\r\r\n", "control-character"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(error_of(parse_fields(row.fields)), row.error) << row.fields;
  EXPECT_EQ(error_of(parse_fields(std::string("X: a\0b\r\n", 8))), "control-character");
  EXPECT_EQ(error_of(parse_fields("Content-Length: 1\r\n")), "");
}

TEST(ContentFields, HandlingAsItCounts) {
  const std::string optional = "Content-Disposition: render;handling=optional\r\n";
  const std::string required = "Content-Disposition: render;handling=required\r\n";
  const auto handlings = [&](const std::string& own, const std::string& subtype,
                             const std::string& first) {
    const std::string inner = first + "Content-Type: multipart/mixed;boundary=i\r\n";
    const std::string entity =
        own +
        multipart(part(inner, "--i\r\n" + optional + "\r\ny\r\n--i--") + part(optional) + "--b--",
                  subtype + ";boundary=b");
    const auto root = parse_mime_entity(entity, {});
    std::string text;
    for (const MimePart* one : {&*root, &root->parts[0], &root->parts[0].parts[0], &root->parts[1]})
      text += one->handling == Handling::optional ? 'o' : 'r';
    return text;
  };
  EXPECT_EQ(handlings("", "mixed", ""), "rrro");
  EXPECT_EQ(handlings(optional, "mixed", required), "orro");
  EXPECT_EQ(handlings(required, "related", optional), "rooo");
  // RFC 5621 8.3: in an alternative only its own counts.
  EXPECT_EQ(handlings("", "alternative", optional), "rrrr");
  EXPECT_EQ(handlings(optional, "alternative", required), "oooo");
  EXPECT_EQ(handlings(optional, "signed", required), "oooo");
  EXPECT_EQ(parse_fields("Content-Disposition: x;handling=other\r\n")->parts[0].handling,
            Handling::required);
}

} // namespace
} // namespace midcom::sip
