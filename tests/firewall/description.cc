// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/description.h"

#include <algorithm>

namespace midcom::firewall_test {

namespace {

constexpr KindFacts facts[] = {
    {"RTP/AVP", "", true, false, false},
    {"RTP/SAVPF", "", true, false, false},
    {"UDP/TLS/RTP/SAVPF", "", true, true, false},
    {"udptl", "t38", false, false, false},
    {"UDP/DTLS/SCTP", "webrtc-datachannel", false, true, false},
    {"TCP/MSRP", "*", false, false, true},
    {"TCP/BFCP", "*", false, false, true},
};

std::string connection(const pinhole::Address& address) {
  const bool is_six = address.family == pinhole::Family::ipv6;
  return std::string("IN ") + (is_six ? "IP6 " : "IP4 ") + address.to_string();
}

std::string held(const pinhole::Address& address) {
  return address.family == pinhole::Family::ipv6 ? "IN IP6 ::" : "IN IP4 0.0.0.0";
}

std::string line(const std::string& text) {
  return text + "\r\n";
}

std::string candidate_line(const Candidate& candidate) {
  static constexpr const char* types[] = {"", " tcptype active", " tcptype passive", " tcptype so"};
  const auto& at = candidate.place.at;
  std::string text = "a=candidate:1 " + std::to_string(candidate.component) +
                     (candidate.is_tcp() ? " TCP 2105458943 " : " UDP 2122260223 ") +
                     at.address.to_string() + " " + std::to_string(at.port) + " typ ";
  text += candidate.is_reflexive ? "srflx raddr 192.168.7.7 rport 999" : "host";
  return line(text + types[static_cast<int>(candidate.opens)]);
}

std::string credentials(const std::string& ufrag, const std::string& password) {
  return line("a=ice-ufrag:" + ufrag) + line("a=ice-pwd:" + password);
}

const char* direction_of(const Stream& stream) {
  if (stream.sends) return stream.receives ? "sendrecv" : "sendonly";
  return stream.receives ? "recvonly" : "inactive";
}

std::string rtcp_lines(const Stream& stream) {
  std::string text;
  if (stream.has_mux) text += line("a=rtcp-mux");
  if (!stream.rtcp) return text;
  const auto& at = stream.rtcp->at;
  text += "a=rtcp:" + std::to_string(at.port);
  if (at.address != stream.rtp.at.address) text += " " + connection(at.address);
  return line(text);
}

// What all streams have alike is said once, for the session, now and then.
struct Session {
  bool has_direction = false, has_credentials = false;
};

Session session_of(const Description& description) {
  const auto& streams = description.streams;
  const auto all = [&](auto is_alike) {
    return description.version % 2 == 1 && std::ranges::all_of(streams, is_alike);
  };
  return {all([&](const Stream& s) {
            return s.sends == streams[0].sends && s.receives == streams[0].receives;
          }),
          streams[0].has_ice() &&
              all([&](const Stream& s) { return s.ufrag == streams[0].ufrag; })};
}

std::string text_of(const Stream& stream, const Description& of, const Session& session) {
  static constexpr const char* setups[] = {"", "active", "passive", "actpass", "holdconn"};
  const auto& known = stream.facts();
  std::string text = "m=" + stream.type + " " +
                     std::to_string(stream.is_zero ? 0 : stream.rtp.at.port) + " " + known.protocol;
  if (known.format[0] != '\0') text += std::string(" ") + known.format;
  for (const int type : stream.payload_types) text += " " + std::to_string(type);
  text = line(text);
  if (stream.is_held)
    text += line("c=" + held(of.address));
  else if (stream.rtp.at.address != of.address)
    text += line("c=" + connection(stream.rtp.at.address));
  if (!session.has_direction) text += line(std::string("a=") + direction_of(stream));
  if (!stream.mid.empty()) text += line("a=mid:" + stream.mid);
  if (stream.is_bundle_only) text += line("a=bundle-only");
  text += rtcp_lines(stream);
  if (stream.setup != Setup::unsaid)
    text += line(std::string("a=setup:") + setups[static_cast<int>(stream.setup)]);
  if (stream.keeps_connection) text += line("a=connection:existing");
  if (stream.kind == Kind::msrp && !stream.is_held)
    text += line("a=path:msrp://" +
                 (stream.rtp.at.address.family == pinhole::Family::ipv6
                      ? "[" + stream.rtp.at.address.to_string() + "]"
                      : stream.rtp.at.address.to_string()) +
                 ":" + std::to_string(stream.rtp.at.port) + "/abc;tcp");
  if (stream.has_ice() && !session.has_credentials)
    text += credentials(stream.ufrag, stream.password);
  for (const Candidate& candidate : stream.candidates) text += candidate_line(candidate);
  return text;
}

} // namespace

const KindFacts& facts_of(Kind kind) {
  return facts[static_cast<int>(kind)];
}

std::string text_of(const Description& description) {
  const Session session = session_of(description);
  std::string text = line("v=0") +
                     line("o=" + description.name + " 1 " + std::to_string(description.version) +
                          " " + connection(description.address)) +
                     line("s=-") + line("c=" + connection(description.address)) + line("t=0 0");
  for (const auto& bundle : description.bundles) {
    text += "a=group:BUNDLE";
    for (const std::string& mid : bundle) text += " " + mid;
    text = line(text);
  }
  const Stream& first = description.streams.front();
  if (session.has_direction) text += line(std::string("a=") + direction_of(first));
  if (session.has_credentials) text += credentials(first.ufrag, first.password);
  for (const Stream& stream : description.streams) text += text_of(stream, description, session);
  return text;
}

std::string text_of(const Fragment& fragment) {
  std::string text;
  for (const auto& section : fragment.sections) {
    text += line("m=" + section.type + " 9 RTP/AVP 0");
    if (!section.mid.empty()) text += line("a=mid:" + section.mid);
    if (!section.ufrag.empty()) text += credentials(section.ufrag, section.password);
    for (const Candidate& candidate : section.candidates) text += candidate_line(candidate);
  }
  return text;
}

sip::NaiveDescription naive(const Description& description) {
  sip::NaiveDescription out{description.name, {}};
  for (const Stream& stream : description.streams)
    out.lines.push_back({stream.type, stream.mid.empty() ? stream.type : stream.mid,
                         stream.is_zero && !stream.is_bundle_only});
  return out;
}

} // namespace midcom::firewall_test
