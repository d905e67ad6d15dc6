// SPDX-License-Identifier: GPL-3.0-or-later
// Session descriptions of three streams, at random out of what plans depend on.
#pragma once

#include <iterator>
#include <random>
#include <set>
#include <string>

#include "tests/unit/sip/media_text.h"

namespace midcom::sip::test {

class RandomDescriptions {
public:
  SdpPtr next(const std::string& address);
  // Those that follow mostly agree on these.
  void choose_protocols();

private:
  template <class List>
  std::string pick(const List& list) {
    return std::string(list[random_() % std::size(list)]);
  }
  bool happens(unsigned one_in) { return random_() % one_in == 0; }
  std::string media(int index);

  std::mt19937 random_{8843};
  std::string protocols_[3];
};

inline void RandomDescriptions::choose_protocols() {
  static constexpr const char* protocols[] = {
      "RTP/AVP",  "RTP/AVP",       "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF", "udptl",
      "TCP/MSRP", "UDP/DTLS/SCTP", "TCP/BFCP",          "TCP/RTP/AVP",       "else"};
  for (std::string& protocol : protocols_) protocol = pick(protocols);
}

inline std::string RandomDescriptions::media(int index) {
  static constexpr const char* ports[] = {"0",    "9",    "4000",  "4001",  "4002",
                                          "4004", "4006", "65535", "5000/2"};
  static constexpr const char* connections[] = {
      "", "", "", "", "IP4 0.0.0.0", "IP6 2001:db8::7", "IP4 224.0.0.9/3", "IP4 a.example"};
  static constexpr const char* lines[] = {"rtcp-mux",
                                          "rtcp-mux",
                                          "rtcp-mux-only",
                                          "rtcp:7000",
                                          "rtcp:0",
                                          "ice-ufrag:8hhY",
                                          "ice-ufrag:8hhZ",
                                          "bundle-only",
                                          "setup:active",
                                          "setup:passive",
                                          "setup:actpass",
                                          "connection:existing",
                                          "path:msrp://192.0.2.9:7654/a;tcp",
                                          "path:msrp://a.example/a;tcp",
                                          "msrp-cema"};
  static constexpr const char* directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
  static constexpr const char* ends[] = {"192.0.2.1 4000", "192.0.2.1 4001", "203.0.113.1 4000",
                                         "2001:db8::1 40", "a.local 4000",   "0.0.0.0 4000",
                                         "192.0.2.1 0",    "192.0.2.1 9"};
  static constexpr const char* transports[] = {"udp", "udp", "udp", "tcp"};
  static constexpr const char* types[] = {"", " tcptype active", " tcptype passive", " tcptype so"};
  std::string text = "m=x " + pick(ports) + " " + (happens(9) ? "RTP/SAVP" : protocols_[index]) +
                     " " + std::to_string(random_() % 130) + "\r\n";
  if (const std::string connection = pick(connections); !connection.empty())
    text += "c=IN " + connection + "\r\n";
  if (!happens(4)) text += "a=mid:" + std::to_string(index) + "\r\n";
  if (happens(2)) text += "a=" + pick(directions) + "\r\n";
  std::set<std::string> chosen; // of a kind one
  for (auto count = random_() % 4; count > 0; --count) {
    const std::string line = pick(lines);
    if (chosen.insert(line.substr(0, line.find(':'))).second) text += "a=" + line + "\r\n";
  }
  for (auto count = random_() % 5; count > 0; --count)
    text += "a=candidate:1 " + std::to_string(1 + random_() % 3) + " " + pick(transports) + " 1 " +
            pick(ends) + " typ host" + pick(types) + "\r\n";
  return text;
}

inline SdpPtr RandomDescriptions::next(const std::string& address) {
  static constexpr const char* groups[] = {"", "a=group:BUNDLE 0 1 2\r\n", "a=group:BUNDLE 2 0\r\n",
                                           "a=group:BUNDLE 1 2\r\n"};
  std::string text = pick(groups);
  if (happens(2)) text += "a=ice-ufrag:sess\r\na=ice-pwd:0123456789012345678901\r\n";
  for (int index = 0; index < 3; ++index) text += media(index);
  return description(address, text);
}

} // namespace midcom::sip::test
