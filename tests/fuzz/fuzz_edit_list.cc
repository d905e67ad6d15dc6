// SPDX-License-Identifier: GPL-3.0-or-later
// Triples (offset, length, text) edit a fixed message. What comes out is as long as it must be,
// every octet that no edit names is there in its order, and the body is untouched.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sip/edit_list.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::require;

MessagePtr fixed_message() {
  const auto message = Message::parse("INVITE sip:b@c SIP/2.0\r\n"
                                      "Via: SIP/2.0/TLS h;branch=z9hG4bK1, SIP/2.0/UDP i\r\n"
                                      "Route: <sip:p;lr>,\r\n <sip:q;lr>\r\n"
                                      "From: <sip:a@c>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\n"
                                      "CSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nbody",
                                      Framing::stream, {});
  require(message.has_value());
  return *message;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MessagePtr message = fixed_message();
  const std::string_view bytes = message->bytes();
  EditList edits(*message);
  std::vector<bool> gone(bytes.size());
  std::size_t added = 0;
  for (std::size_t i = 0; i + 3 <= size && i < 60; i += 3) {
    const std::size_t offset = data[i] % (bytes.size() + 1);
    const std::size_t length = std::min<std::size_t>(data[i + 1], bytes.size() - offset);
    const std::string text(data[i + 2] % 7, '#'); // not in the message
    edits.replace(bytes.substr(offset, length), text);
    added += text.size();
    for (std::size_t at = offset; at < offset + length; ++at) gone[at] = true;
  }
  const auto out = edits.apply();
  if (!out) {
    require(out.error() == Error::overlap || out.error() == Error::outside);
    return 0;
  }
  std::string kept, expected;
  for (const char c : *out)
    if (c != '#') kept += c;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (!gone[at]) expected += bytes[at];
  require(kept == expected && out->size() == kept.size() + added);
  require(out->ends_with("\r\nbody"));
  return 0;
}
