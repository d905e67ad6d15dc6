// SPDX-License-Identifier: GPL-3.0-or-later
// The messages of RFC 4475 and RFC 5118 against expected.tsv.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "sip/message.h"
#include "sip/response.h"
#include "sip/stream_framer.h"
#include "tests/torture/table.h"

namespace midcom::torture {
namespace {

const std::string folder = std::string(MIDCOM_SOURCE_DIR) + "/tests/torture/";

std::string verdict(const std::string& bytes, sip::Framing framing) {
  const auto message = sip::Message::parse(bytes, framing, {});
  return message ? "accept" : std::string(to_string(message.error()));
}

TEST(RfcTorture, EveryMessageHasItsVerdict) {
  std::set<std::string> seen;
  for (const auto& row : read_table(folder + "expected.tsv")) {
    ASSERT_EQ(row.size(), 4U) << row.front();
    const std::string bytes = read_bytes(folder + row[0]);
    ASSERT_FALSE(bytes.empty()) << row[0];
    seen.insert(row[0]);
    if (row[1] != "datagram") {
      EXPECT_EQ(verdict(bytes, sip::Framing::stream), row[2]) << row[0] << " stream: " << row[3];
    }
    if (row[1] != "stream") {
      EXPECT_EQ(verdict(bytes, sip::Framing::datagram), row[2])
          << row[0] << " datagram: " << row[3];
    }
  }
  std::size_t files = 0;
  for (const char* part : {"rfc4475", "rfc5118"})
    for (const auto& entry : std::filesystem::directory_iterator(folder + part)) {
      ++files;
      EXPECT_TRUE(seen.contains(part + ("/" + entry.path().filename().string()))) << entry.path();
    }
  EXPECT_EQ(files, seen.size());
  EXPECT_EQ(files, 61U); // 49 of RFC 4475, 12 of RFC 5118
}

// What was refused as a request can be answered: the salvaged parts make a response that passes the
// gate, or there was too little to answer to.
TEST(RfcTorture, RefusedRequestsCanBeAnswered) {
  int answered = 0;
  for (const auto& row : read_table(folder + "expected.tsv")) {
    if (row[2] == "accept") continue;
    const auto request = sip::salvage_request(read_bytes(folder + row[0]));
    if (!request) continue;
    const std::string response = sip::make_response(*request, 400, "t");
    EXPECT_TRUE(response.starts_with("SIP/2.0 400 Bad Request\r\n")) << row[0];
    EXPECT_TRUE(response.ends_with("Content-Length: 0\r\n\r\n")) << row[0];
    EXPECT_EQ(response.find('\0'), std::string::npos) << row[0];
    if (sip::Message::parse(response, sip::Framing::stream, {})) ++answered;
  }
  EXPECT_GE(answered, 10);
}

TEST(RfcTorture, TwoRequestsInOneSegmentAreTwoFrames) {
  sip::StreamFramer framer{{}};
  framer.append(read_bytes(folder + "rfc4475/dblreq.sip"));
  int frames = 0;
  while (std::holds_alternative<sip::StreamFramer::Frame>(framer.next())) {
    ++frames;
    if (frames == 1) {
      EXPECT_TRUE(std::holds_alternative<sip::StreamFramer::Pong>(framer.next()));
    }
  }
  EXPECT_EQ(frames, 2);
}

} // namespace
} // namespace midcom::torture
