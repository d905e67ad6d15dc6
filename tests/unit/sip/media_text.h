// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptions out of their m= lines, and plans as text that a test can state.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sip/media_plan.h"

namespace midcom::sip::test {

inline constexpr const char* caller_ip = "IP4 192.0.2.1";
inline constexpr const char* callee_ip = "IP4 198.51.100.2";

inline SdpPtr description(const std::string& address, const std::string& rest) {
  const auto sdp = Sdp::parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN " + address +
                                  "\r\nt=0 0\r\n" + rest,
                              SdpLimits{});
  EXPECT_TRUE(sdp.has_value()) << rest;
  return sdp ? *sdp : nullptr;
}

inline SessionPair make_pair_of(const std::string& caller, const std::string& callee) {
  return {description(caller_ip, caller), description(callee_ip, callee)};
}

inline std::string word_of(Component component) {
  return component == Component::rtp ? " rtp " : " rtcp ";
}

// "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000" a flow; "0 held" a stream that is not open.
inline std::string text_of(const MediaPlan& plan) {
  std::string text;
  for (const PlannedStream& stream : plan.streams) {
    constexpr const char* states[] = {"open", "refused", "held", "bundled", "unsupported"};
    const std::string index = std::to_string(stream.index);
    if (stream.state != StreamState::open)
      text += index + " " + states[static_cast<int>(stream.state)] +
              (stream.carrier == stream.index ? "" : " on " + std::to_string(stream.carrier)) +
              "\n";
    if (stream.is_muxed) text += index + " muxed\n";
    if (stream.keeps_connection) text += index + " keeps its connection\n";
  }
  for (const MediaFlow& flow : plan.flows) {
    text += std::to_string(flow.stream) + word_of(flow.component) + flow.caller.to_string() + " " +
            (flow.from_callee ? "<" : "") + (flow.from_caller ? ">" : "") + " " +
            flow.callee.to_string() + "\n";
  }
  return text;
}

// "0 rtp 192.0.2.1:4000 stun dtls rtp(0 8) rtcp from 198.51.100.2:5000"; "tcp" in the place of what
// it may be; "exact", "waits" for its marks, and "ufrag<ufrag" with STUN.
inline std::string text_of(const MediaSink& sink) {
  std::string text = std::to_string(sink.stream) + word_of(sink.component) + sink.at.to_string();
  if (sink.transport == MediaTransport::tcp) text += " tcp";
  if (sink.has_stun)
    text += " " + std::string(sink.receiver_ufrag) + "<" + std::string(sink.sender_ufrag);
  if (sink.has_dtls) text += " dtls";
  if (sink.has_rtp) {
    text += " rtp(";
    std::string types;
    for (std::size_t type = 0; type < sink.payload_types.size(); ++type)
      if (sink.payload_types[type]) types += (types.empty() ? "" : " ") + std::to_string(type);
    text += types + ")";
  }
  if (sink.has_rtcp) text += " rtcp";
  if (sink.has_udptl) text += " udptl";
  if (!sink.senders.empty()) text += " from";
  for (const Endpoint& sender : sink.senders)
    text += " " + (sender.port == 0 ? sender.address.to_string() + ":*" : sender.to_string());
  if (sink.awaits_answer) text += " waits";
  if (sink.is_exact) text += " exact";
  return text + "\n";
}

inline std::string sinks_of(const MediaPlan& plan) {
  std::string text;
  for (const MediaSink& sink : plan.sinks) text += text_of(sink);
  return text;
}

} // namespace midcom::sip::test
