// SPDX-License-Identifier: GPL-3.0-or-later
// An identity body that is read can be written and is read again as the same; so is a date.
#include <cstdint>
#include <string_view>

#include "sip/aib.h"
#include "sip/sip_date.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::require;

// What an AIB is checked against.
const Message& request() {
  static const auto message =
      Message::parse("INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                     "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.net>\r\n"
                     "Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n"
                     "Contact: <sip:alice@pc33.example.com>\r\nContent-Length: 0\r\n\r\n",
                     Framing::stream, {});
  require(message.has_value());
  return **message;
}

void check(const Aib& aib) {
  require(!aib.from.empty() && is_same_address(aib.from, *Uri::parse(aib.from)));
  const auto text = write_aib(aib);
  require(text.has_value() && parse_aib(*text) == aib);
  if (check_aib(aib, request()) != AibFault::none) return;
  require(aib.call_id == "a84b4c76e66710" && aib.to && aib.contact);
  require(aib.cseq == AibCSeq{314159, "INVITE"});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto date = parse_sip_date(text)) require(write_sip_date(*date) == text);
  if (const auto aib = parse_aib(text)) check(*aib);
  return 0;
}
