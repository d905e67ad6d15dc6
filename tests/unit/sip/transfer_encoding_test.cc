// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/transfer_encoding.h"

#include <gtest/gtest.h>

namespace midcom::sip {
namespace {

std::string base64(std::string_view text, std::size_t most = 1000) {
  const auto decoded = decode_base64(text, most);
  return decoded ? *decoded : "!" + std::string(to_string(decoded.error()));
}

std::string quoted(std::string_view text, std::size_t most = 1000) {
  const auto decoded = decode_quoted_printable(text, most);
  return decoded ? *decoded : "!" + std::string(to_string(decoded.error()));
}

TEST(TransferEncoding, Base64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("Zg=="), "f");
  EXPECT_EQ(base64("Zm8="), "fo");
  EXPECT_EQ(base64("Zm9v"), "foo");
  EXPECT_EQ(base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(base64("Zm9v\r\nYm\r\nFy\r\n"), "foobar");
  EXPECT_EQ(base64("Zg==\r\n\r\n"), "f");
  EXPECT_EQ(base64("AP/+"), std::string("\0\xff\xfe", 3));
}

TEST(TransferEncoding, Base64IsReadStrictly) {
  for (const char* text : {"Z",        "Zg",    "Zg=",  "Zm9",      "=",     "====",    "Zg===",
                           "Zg==Zg==", "Zg==x", "Zh==", "Zm9=",     "Zm 9v", "Zm9v\n",  "Zm9v\r",
                           "\tZm9v",   "Zm9-",  "Zm9_", "Zg=\r\n=", "Zm9v=", "v=0\r\n", "\x80mgv"})
    EXPECT_EQ(base64(text), "!bad-encoding") << text;
  EXPECT_EQ(base64("Zm9v", 3), "foo");
  EXPECT_EQ(base64("Zm9v", 2), "!too-long");
}

TEST(TransferEncoding, QuotedPrintable) {
  EXPECT_EQ(quoted(""), "");
  EXPECT_EQ(quoted("v=3D0\r\n"), "v=0\r\n");
  EXPECT_EQ(quoted("Now's the time =\r\nfor all"), "Now's the time for all");
  EXPECT_EQ(quoted("a=20\r\n=00=FF"), std::string("a \r\n\0\xff", 6));
  EXPECT_EQ(quoted("a \tb"), "a \tb");
}

TEST(TransferEncoding, QuotedPrintableIsReadStrictly) {
  for (const char* text : {"=", "=3", "=3d", "=G0", "v=0\r\n", "a=", "a=\n", "a= \r\nb", "a \r\nb",
                           "a\t\r\n", "a ", "a\nb", "a\rb", "a\x01", "\xe9", "\x7f"})
    EXPECT_EQ(quoted(text), "!bad-encoding") << text;
  EXPECT_EQ(quoted("abc", 3), "abc");
  EXPECT_EQ(quoted("abc", 2), "!too-long");
  EXPECT_EQ(quoted("=41=42", 1), "!too-long");
}

TEST(TransferEncoding, DecodesAPart) {
  for (const auto& [word, body, content] :
       {std::array<std::string, 3>{"binary", "=41\n", "=41\n"},
        std::array<std::string, 3>{"base64", "QQ==", "A"},
        std::array<std::string, 3>{"quoted-printable", "=41", "A"}}) {
    const std::string entity = "Content-Transfer-Encoding: " + word + "\r\n\r\n" + body;
    const auto part = parse_mime_entity(entity, {});
    ASSERT_TRUE(part) << word;
    EXPECT_EQ(decode(*part, 10), content) << word;
    EXPECT_EQ(decode(*part, 0), std::unexpected(Error::too_long)) << word;
    EXPECT_EQ(part->body, body);
  }
}

} // namespace
} // namespace midcom::sip
