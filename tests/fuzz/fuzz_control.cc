// SPDX-License-Identifier: GPL-3.0-or-later
// Both ends of the control socket: any octets as a request, as remote text in an answer, and as an
// answer. What is printed stays on its lines.
#include <cstddef>
#include <cstdint>
#include <string>

#include "daemon/control_tables.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom;
using midcom::fuzz::require;

void check_printable(const std::string& text) {
  for (const char c : text)
    require(c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f));
}

void check_answer(ControlRequest::Kind kind, const AgentSnapshot& snapshot) {
  const std::string answer = control_answer({kind, "x"}, snapshot, {});
  require(answer.find('\n') == answer.size() - 1);
  check_printable(answer);
  const auto value = parse_json(answer);
  require(value.has_value());
  check_printable(control_table(kind, *value));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = ControlRequest::Kind;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto request = parse_control_request(text)) {
    require(text.size() < max_control_request);
    require((request->kind == Kind::call) == !request->call_id.empty());
  }
  AgentSnapshot snapshot;
  AgentSnapshot::Flow flow;
  flow.info.identities = {text, text};
  flow.registered = {text};
  snapshot.flows.push_back(flow);
  snapshot.calls.push_back(
      {text, "peer", false, false, {}, {{text, "peer", true, false, {{}}, {{}}}}});
  for (const Kind kind : {Kind::flows, Kind::calls, Kind::call, Kind::pinholes})
    check_answer(kind, snapshot);
  if (const auto value = parse_json(text)) {
    for (const Kind kind :
         {Kind::status, Kind::flows, Kind::peers, Kind::calls, Kind::call, Kind::pinholes})
      check_printable(control_table(kind, *value));
  }
  return 0;
}
