// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/control.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "daemon/json.h"

namespace midcom {

namespace {

using Kind = ControlRequest::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> plain_requests{
    {{"status", Kind::status},
     {"flows", Kind::flows},
     {"peers", Kind::peers},
     {"calls", Kind::calls},
     {"pinholes", Kind::pinholes}}};
constexpr std::string_view call_word = "call ";

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

std::string target_text(const Target& target) {
  return std::string(to_string(target.transport)) + ":" + target.address.to_string();
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end();
}

void write_status(JsonWriter& json, const AgentSnapshot::Status& status,
                  const ControlProcess& process) {
  json.begin_object()
      .member("version", process.version)
      .member("uptime_s", static_cast<std::uint64_t>(process.uptime.count()))
      .member("pid", process.pid)
      .member("config_generation", process.config_generation)
      .member("log_lost", process.lost_log_lines);
  json.key("middlebox")
      .begin_object()
      .member("up", status.is_middlebox_up)
      .member("features", status.features)
      .member("adopted_groups", std::uint64_t{status.adopted_groups})
      .member("adopted_elements", std::uint64_t{status.adopted_elements})
      .end();
  json.key("gate")
      .begin_object()
      .member("up", status.has_gate)
      .member("queued", status.gate.queued)
      .member("admitted", status.gate.admitted)
      .member("parked", status.gate.parked)
      .member("released", status.gate.released)
      .member("dropped", status.gate.dropped)
      .member("overrun", status.gate.overrun)
      .end();
  json.key("counts")
      .begin_object()
      .member("flows", std::uint64_t{status.flows})
      .member("calls", std::uint64_t{status.calls})
      .member("transactions", std::uint64_t{status.transactions})
      .member("rules", std::uint64_t{status.rules})
      .end();
  const auto microseconds = [](auto time) { return static_cast<std::uint64_t>(time.count()); };
  json.key("commits")
      .begin_object()
      .member("count", status.commits.count())
      .member("p50_us", microseconds(status.commits.percentile(50)))
      .member("p99_us", microseconds(status.commits.percentile(99)))
      .member("longest_us", microseconds(status.commits.longest()))
      .end()
      .end();
}

void write_flow(JsonWriter& json, const AgentSnapshot::Flow& flow) {
  json.begin_object()
      .member("id", std::uint64_t{flow.info.id})
      .member("src", flow.info.remote.to_string())
      .member("local", flow.info.local.to_string())
      .member("transport", to_string(flow.info.transport))
      .member("tls", flow.info.tls_version)
      .member("direction", flow.info.is_inbound ? "in" : "out")
      .member("state", flow.is_open ? "open" : "opening")
      .member("peer", flow.peer);
  write_texts(json, "identities", flow.info.identities);
  write_texts(json, "registered", flow.registered);
  json.end();
}

void write_peer(JsonWriter& json, const AgentSnapshot::Peer& peer) {
  json.begin_object()
      .member("name", peer.name)
      .member("kind", peer.is_trunk ? "trunk" : "phones")
      .member("side", peer.side)
      .member("next_hop", peer.next_hop ? target_text(*peer.next_hop) : std::string())
      .member("tls_name", peer.next_hop ? peer.next_hop->tls_name : std::string())
      .member("state", peer.state)
      .member("flows", std::uint64_t{peer.flows})
      .end();
}

std::string_view direction_of(const pinhole::Rule& rule) {
  if (rule.from_a && rule.from_b) return "both";
  return rule.from_a ? "a-to-b" : "b-to-a";
}

void write_rule(JsonWriter& json, const pinhole::Rule& rule) {
  json.member("stream", std::uint64_t{rule.stream})
      .member("component", rule.component == 1 ? "rtp" : "rtcp")
      .member("protocol", rule.protocol == 17 ? "udp" : "tcp")
      .member("a", rule.a.to_string())
      .member("b", rule.b.to_string())
      .member("direction", direction_of(rule));
}

void write_leg(JsonWriter& json, const AgentSnapshot::Leg& leg) {
  json.begin_object()
      .member("tag", leg.tag)
      .member("peer", leg.callee_peer)
      .member("state", leg.is_ended      ? "ended"
                       : leg.is_answered ? "answered"
                                         : "early");
  json.key("rules").begin_array();
  for (const pinhole::Rule& rule : leg.rules) {
    json.begin_object();
    write_rule(json, rule);
    json.end();
  }
  json.end();
  json.key("sinks").begin_array();
  for (const pinhole::Sink& sink : leg.sinks)
    json.begin_object()
        .member("stream", std::uint64_t{sink.stream})
        .member("component", sink.component == 1 ? "rtp" : "rtcp")
        .member("protocol", sink.protocol == 17 ? "udp" : "tcp")
        .member("of", sink.is_a ? "caller" : "callee")
        .member("at", sink.at.to_string())
        .end();
  json.end().end();
}

void write_call(JsonWriter& json, const AgentSnapshot::Call& call) {
  json.begin_object()
      .member("call", call.call_id)
      .member("from_peer", call.caller_peer)
      .member("state", call.is_answered || call.is_taken_up ? "answered" : "early")
      .member("taken_up", call.is_taken_up)
      .member("age_s", static_cast<std::uint64_t>(std::max<long>(call.age.count(), 0)));
  json.key("legs").begin_array();
  for (const AgentSnapshot::Leg& leg : call.legs) write_leg(json, leg);
  json.end().end();
}

void write_pinholes(JsonWriter& json, const AgentSnapshot& snapshot) {
  for (const AgentSnapshot::Call& call : snapshot.calls) {
    for (const AgentSnapshot::Leg& leg : call.legs) {
      for (const pinhole::Rule& rule : leg.rules) {
        json.begin_object().member("call", call.call_id);
        write_rule(json, rule);
        json.end();
      }
    }
  }
}

// {"total":N,"KEY":[...]}, the list by `each`.
template <class Each>
void write_list(JsonWriter& json, std::string_view key, std::size_t total, Each each) {
  json.begin_object().member("total", std::uint64_t{total}).key(key).begin_array();
  each();
  json.end().end();
}

template <class Row>
void write_rows(JsonWriter& json, std::string_view key, std::size_t total,
                const std::vector<Row>& rows, void (*write)(JsonWriter&, const Row&)) {
  write_list(json, key, total, [&] {
    for (const Row& row : rows) write(json, row);
  });
}

} // namespace

std::optional<ControlRequest> parse_control_request(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() >= max_control_request) return std::nullopt;
  for (const auto& [word, kind] : plain_requests) {
    if (line == word) return ControlRequest{.kind = kind};
  }
  if (!line.starts_with(call_word)) return std::nullopt;
  line.remove_prefix(call_word.size());
  if (line.empty() || !is_printable(line)) return std::nullopt;
  return ControlRequest{Kind::call, std::string(line)};
}

SnapshotQuery query_of(const ControlRequest& request) {
  using Part = SnapshotQuery::Part;
  switch (request.kind) {
  case Kind::status:
    return {.part = Part::status};
  case Kind::flows:
    return {.part = Part::flows};
  case Kind::peers:
    return {.part = Part::peers};
  default:
    return {.part = Part::calls, .call_id = request.call_id};
  }
}

std::string control_answer(const ControlRequest& request, const AgentSnapshot& snapshot,
                           const ControlProcess& process) {
  JsonWriter json;
  switch (request.kind) {
  case Kind::status:
    write_status(json, snapshot.status, process);
    break;
  case Kind::flows:
    write_rows(json, "flows", snapshot.total, snapshot.flows, write_flow);
    break;
  case Kind::peers:
    write_rows(json, "peers", snapshot.total, snapshot.peers, write_peer);
    break;
  case Kind::call:
    if (snapshot.calls.empty()) return control_error("not-found");
    [[fallthrough]];
  case Kind::calls:
    write_rows(json, "calls", snapshot.total, snapshot.calls, write_call);
    break;
  case Kind::pinholes:
    write_list(json, "pinholes", snapshot.status.rules, [&] { write_pinholes(json, snapshot); });
    break;
  }
  return std::move(json).finish() + "\n";
}

std::string control_error(std::string_view word) {
  JsonWriter json;
  json.begin_object().member("error", word).end();
  return std::move(json).finish() + "\n";
}

} // namespace midcom
