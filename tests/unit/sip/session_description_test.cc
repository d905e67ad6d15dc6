// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "sample_message.h"
#include "sip/mime.h"

namespace midcom::sip {
namespace {

const std::string sdp = "Content-Type: application/sdp\r\n";

std::string disposed(const std::string& disposition) {
  return sdp + "Content-Disposition: " + disposition + "\r\n";
}

std::string leaf(const std::string& fields, const std::string& body) {
  return fields + "\r\n" + body;
}

// `name` is the subtype and what else belongs to Content-Type.
std::string multipart(const std::string& name, const std::string& boundary,
                      std::initializer_list<std::string> entities, const std::string& fields = {}) {
  std::string text =
      fields + "Content-Type: multipart/" + name + ";boundary=" + boundary + "\r\n\r\n";
  for (const std::string& entity : entities) text += "--" + boundary + "\r\n" + entity + "\r\n";
  return text + "--" + boundary + "--";
}

// The body of what is found, "none", or the error's word.
std::string found(const std::string& entity) {
  const auto root = parse_mime_entity(entity, {});
  if (!root) return "refused: " + std::string(to_string(root.error()));
  const auto part = find_session_description(*root);
  if (!part) return std::string(to_string(part.error()));
  return *part == nullptr ? "none" : std::string((*part)->body);
}

TEST(SessionDescription, AtTheTop) {
  EXPECT_EQ(found(leaf(sdp, "1")), "1");
  EXPECT_EQ(found(leaf("Content-Type: Application / SDP;charset=utf-8\r\n", "1")), "1");
  EXPECT_EQ(found(leaf(disposed("session"), "1")), "1");
  EXPECT_EQ(found(leaf(disposed("Session;handling=optional"), "1")), "1");
  EXPECT_EQ(found(leaf(disposed("early-session"), "1")), "none"); // RFC 3959
  EXPECT_EQ(found(leaf(disposed("render"), "1")), "none");
  EXPECT_EQ(found(leaf("", "1")), "none");
  EXPECT_EQ(found(leaf("Content-Type: application/sdp2\r\n", "1")), "none");
  EXPECT_EQ(found(leaf(sdp + "Content-Encoding: gzip\r\n", "1")), "unsupported");
}

TEST(SessionDescription, OfAMessage) {
  const auto message = sample_message("c: application/sdp\r\n", "v=0\r\n");
  const auto root = parse_mime_body(*message, {});
  ASSERT_TRUE(root);
  EXPECT_EQ(*find_session_description(*root), &*root);
  const auto empty = parse_mime_body(*sample_message(), {});
  ASSERT_TRUE(empty);
  EXPECT_EQ(*find_session_description(*empty), nullptr);
}

TEST(SessionDescription, InMixedThereIsOne) {
  const std::string text = leaf("", "text");
  EXPECT_EQ(found(multipart("mixed", "b", {text, leaf(sdp, "1")})), "1");
  EXPECT_EQ(found(multipart("mixed", "b", {leaf(disposed("early-session"), "0"), leaf(sdp, "1")})),
            "1");
  EXPECT_EQ(found(multipart("mixed", "b", {text})), "none");
  EXPECT_EQ(found(multipart("mixed", "b", {leaf(sdp, "1"), leaf(sdp, "2")})), "mismatch");
  EXPECT_EQ(found(multipart("mixed", "b", {leaf(sdp, "1"), leaf(sdp, "1")})), "mismatch");
  EXPECT_EQ(found(multipart("mixed", "b",
                            {leaf(sdp, "1"), multipart("mixed", "i", {text, leaf(sdp, "2")})})),
            "mismatch");
  EXPECT_EQ(found(multipart("mixed", "b",
                            {leaf(sdp, "1"), leaf(sdp + "Content-Encoding: gzip\r\n", "2")})),
            "mismatch");
  EXPECT_EQ(found(multipart("unknown", "b", {leaf(sdp, "1"), leaf(sdp, "2")})), "mismatch");
  EXPECT_EQ(found(multipart("unknown", "b", {text, leaf(sdp, "2")})), "2");
  // The disposition of the multipart says nothing of its parts (RFC 5621 8.2).
  EXPECT_EQ(found(multipart("mixed", "b", {leaf(sdp, "1")},
                            "Content-Disposition: attachment;handling=optional\r\n")),
            "1");
}

TEST(SessionDescription, OfAnAlternativeTheLast) {
  const std::string text = leaf("", "text");
  EXPECT_EQ(found(multipart("alternative", "b", {leaf(sdp, "1"), leaf(sdp, "2")})), "2");
  EXPECT_EQ(found(multipart("alternative", "b", {leaf(sdp, "1"), text})), "1");
  EXPECT_EQ(
      found(multipart("alternative", "b", {leaf(sdp, "1"), leaf(disposed("early-session"), "2")})),
      "1");
  EXPECT_EQ(found(multipart("alternative", "b",
                            {leaf(sdp, "1"), multipart("mixed", "i", {text, leaf(sdp, "2")})})),
            "2");
  EXPECT_EQ(
      found(multipart("alternative", "b",
                      {leaf(sdp, "1"), multipart("mixed", "i", {leaf(sdp, "2"), leaf(sdp, "3")})})),
      "mismatch");
  EXPECT_EQ(found(multipart(
                "mixed", "b",
                {multipart("alternative", "i", {leaf(sdp, "1"), leaf(sdp, "2")}), leaf(sdp, "3")})),
            "mismatch");
  EXPECT_EQ(found(multipart("alternative", "b", {leaf(sdp, "1")},
                            "Content-Disposition: early-session\r\n")),
            "none");
}

TEST(SessionDescription, OfARelatedItsRoot) {
  const std::string other = leaf("Content-ID: <2@a>\r\n", "other");
  const std::string one = leaf("Content-ID: <1@a>\r\n" + sdp, "1");
  EXPECT_EQ(found(multipart("related", "b", {one, other})), "1");
  EXPECT_EQ(found(multipart("related", "b", {other, one})), "none");
  EXPECT_EQ(found(multipart("related;start=\"<1@a>\"", "b", {other, one})), "1");
  EXPECT_EQ(found(multipart("related;start=\"1@a\"", "b", {other, one})), "1");
  EXPECT_EQ(found(multipart("related;start=\"<2@a>\"", "b", {one, other})), "none");
  EXPECT_EQ(found(multipart("related;start=\"<3@a>\"", "b", {one, other})), "mismatch");
  EXPECT_EQ(found(multipart("related;start=\"<1@a>\"", "b", {one, one})), "mismatch");
  // `start` names a part of this multipart, not one further down.
  EXPECT_EQ(
      found(multipart("related;start=\"<1@a>\"", "b", {other, multipart("mixed", "i", {one})})),
      "mismatch");
  // Who takes it for multipart/mixed would see two.
  EXPECT_EQ(found(multipart("related", "b", {one, leaf(sdp, "2")})), "mismatch");
}

TEST(SessionDescription, OfASignedTheFirstPart) {
  const std::string signature = leaf("Content-Type: application/pkcs7-signature\r\n", "0");
  EXPECT_EQ(found(multipart("signed", "b", {leaf(sdp, "1"), signature})), "1");
  EXPECT_EQ(found(multipart("signed", "b", {signature, leaf(sdp, "1")})), "none");
  EXPECT_EQ(found(multipart(
                "signed", "b",
                {multipart("mixed", "i",
                           {leaf("Content-Type: message/sipfrag\r\n", "From: "), leaf(sdp, "1")}),
                 signature})),
            "1");
}

} // namespace
} // namespace midcom::sip
