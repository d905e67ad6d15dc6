// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "sip/message.h"

namespace midcom::sip {

inline std::string sample_request(const std::string& extra = {}, const std::string& body = {}) {
  return "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
         "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bK74bf9, SIP/2.0/UDP "
         "192.0.2.9;branch=z9hG4bK1\r\n"
         "Max-Forwards: 70\r\n"
         "Route: <sip:p1.example.com;lr>,\r\n <sip:p2.example.com;lr>\r\n"
         "From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
         "To: Bob <sip:bob@biloxi.example.com>\r\n"
         "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
         "CSeq: 2 INVITE\r\n"
         "Contact: <sip:alice@client.example.com>\r\n" +
         extra + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline MessagePtr sample_message(const std::string& extra = {}, const std::string& body = {}) {
  return Message::parse(sample_request(extra, body), Framing::stream, {}).value_or(nullptr);
}

// `text` with the first `from` replaced.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

} // namespace midcom::sip
