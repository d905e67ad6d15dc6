// SPDX-License-Identifier: GPL-3.0-or-later
// What is forwarded passes our own gate again, with one Via more (or less), one hop less, and the
// same body.
#include <cstdint>
#include <limits>

#include "daemon/forwarding.h"
#include "gateway.h"
#include "tests/fuzz/require.h"

namespace {

using midcom::fuzz::require;

constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
constexpr midcom::sip::MessageLimits no_limits{any, any, any, any, any, any};

void check_request(const midcom::sip::Message& request) {
  using namespace midcom;
  static const AgentConfig config = fuzz::gateway();
  const sip::Endpoint source{fuzz::address("2001:db8::9"), 40000};
  if (request.max_forwards() == 0U) return; // never forwarded
  const ForwardEdits edits{"z9hG4bKours",        "00",   "11", &config.listeners[0],
                           &config.listeners[1], source, true};
  const auto out = forwarded_request(request, {}, edits);
  require(out.has_value());
  const auto again = sip::Message::parse(*out, sip::Framing::stream, no_limits);
  require(again.has_value());
  const sip::Message& sent = **again;
  require(sent.vias().size() == request.vias().size() + 1);
  require(sent.top_via().branch() == "z9hG4bKours");
  require(sent.body() == request.body());
  require(sent.max_forwards() == request.max_forwards().value_or(71) - 1);
  require(sent.call_id() == request.call_id() && sent.method() == request.method());
  const sip::Via& senders = sent.vias()[1];
  require(senders.branch() == request.top_via().branch());
  require(senders.parameter("received").has_value());
  require(senders.parameter("rport").has_value() ==
          request.top_via().parameter("rport").has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom;
  const auto parsed = sip::Message::parse(std::string(reinterpret_cast<const char*>(data), size),
                                          sip::Framing::datagram, {});
  if (!parsed) return 0;
  const sip::Message& message = **parsed;
  if (message.is_request()) {
    check_request(message);
  } else if (message.vias().size() > 1) {
    const auto out = forwarded_response(message);
    require(out.has_value());
    const auto again = sip::Message::parse(*out, sip::Framing::stream, no_limits);
    require(again.has_value());
    require((*again)->vias().size() == message.vias().size() - 1);
    require((*again)->body() == message.body());
  }
  return 0;
}
