// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/mime_writer.h"

#include <gtest/gtest.h>

#include <vector>

#include "sip/mime.h"

namespace midcom::sip {
namespace {

TEST(MimeWriter, WhatIsWrittenReads) {
  const MimeEntity entity{.content_type = "application/sdp",
                          .content_id = "a@b",
                          .disposition = "session; handling=optional",
                          .encoding = "binary",
                          .other_lines = "Content-Language: en\r\n",
                          .body = "v=0\r\n"};
  const std::string text = write_entity(entity);
  const auto part = parse_mime_entity(text, {});
  ASSERT_TRUE(part) << text;
  EXPECT_TRUE(part->is("application", "sdp"));
  EXPECT_EQ(part->content_id, "a@b");
  EXPECT_EQ(part->disposition, "session");
  EXPECT_EQ(part->handling, Handling::optional);
  EXPECT_EQ(part->body, entity.body);
  EXPECT_TRUE(text.contains("Content-Language: en\r\n"));
}

TEST(MimeWriter, PartsOfAMultipartAreTheirOctets) {
  const std::vector<std::string> parts{
      write_entity({.content_type = "text/plain", .body = "one"}),
      write_entity({.content_type = "text/plain", .body = std::string("t\0w\no\r\n", 7)})};
  const auto multipart = write_multipart("mixed", parts, "b0");
  ASSERT_TRUE(multipart);
  const std::string text = write_entity(*multipart);
  const auto read = parse_mime_entity(text, {});
  ASSERT_TRUE(read);
  ASSERT_EQ(read->parts.size(), 2U);
  EXPECT_EQ(read->parts[0].entity, parts[0]);
  EXPECT_EQ(read->parts[1].entity, parts[1]);
}

TEST(MimeWriter, RefusesABoundaryThatIsNoneOrStandsInAPart) {
  const std::vector<std::string> parts{"\r\nhello --b0x"};
  EXPECT_EQ(write_multipart("mixed", parts, "b0").error(), Error::bad_boundary);
  EXPECT_TRUE(write_multipart("mixed", parts, "b1"));
  EXPECT_EQ(write_multipart("mixed", parts, "").error(), Error::bad_boundary);
  EXPECT_EQ(write_multipart("mixed", parts, "b b").error(), Error::bad_boundary);
  EXPECT_EQ(write_multipart("mixed", parts, std::string(71, 'b')).error(), Error::bad_boundary);
  EXPECT_EQ(write_multipart("mixed", {}, "b1").error(), Error::bad_boundary);
}

} // namespace
} // namespace midcom::sip
