// SPDX-License-Identifier: GPL-3.0-or-later
// What the gate lets pass is whole, answers itself, and passes again; what it refuses can be
// salvaged without harm.
#include <cstdint>
#include <string>

#include "sip/message.h"
#include "sip/response.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::require;

void check_accepted(const Message& message) {
  std::string again(message.start_line());
  again += "\r\n";
  for (const HeaderField& field : message.fields()) {
    again += field.line;
    require(message.first(field.name) != nullptr);
    (void)message.values(field.id);
  }
  again.append("\r\n").append(message.body());
  require(again == message.bytes());
  require(message.is_request() == !message.method().empty());
  require(!message.vias().empty() && !message.call_id().empty());
  const std::string response = make_response(message, 486, "tag");
  const auto parsed =
      Message::parse(response, Framing::stream, {.message = 1 << 20, .headers = 1 << 20});
  require(parsed.has_value());
  require((*parsed)->call_id() == message.call_id());
  if (message.is_request()) (void)make_ack(message, **parsed);
}

void check_salvaged(std::string_view bytes) {
  const auto request = salvage_request(bytes);
  if (!request) return;
  const std::string response = make_response(*request, 400, "tag");
  for (const char c : response)
    require(static_cast<unsigned char>(c) >= 0x20 || c == '\r' || c == '\n' || c == '\t');
  require(response.find("\r\n\r\n") == response.size() - 4);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check_salvaged(bytes);
  const auto on_stream = Message::parse(bytes, Framing::stream, {});
  if (on_stream) check_accepted(**on_stream);
  const auto in_datagram = Message::parse(bytes, Framing::datagram, {});
  if (in_datagram) check_accepted(**in_datagram);
  require(!on_stream || in_datagram); // a datagram asks for no more
  return 0;
}
