// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call_log.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace midcom {
namespace {

std::string_view word_of_component(std::uint8_t component) {
  return component == 1 ? "rtp" : "rtcp";
}

bool is_same_flow(const pinhole::Rule& a, const pinhole::Rule& b) {
  return a.stream == b.stream && a.component == b.component && a.protocol == b.protocol &&
         a.a == b.a && a.b == b.b;
}

const pinhole::Rule* find_flow(const std::vector<pinhole::Rule>& rules, const pinhole::Rule& rule) {
  const auto found =
      std::ranges::find_if(rules, [&](const auto& r) { return is_same_flow(r, rule); });
  return found == rules.end() ? nullptr : &*found;
}

void write_rule(EventLog& log, std::string_view name, const Call& call, const Leg& leg,
                const pinhole::Rule& rule) {
  const std::string_view direction = rule.from_a && rule.from_b ? "both"
                                     : rule.from_a              ? "caller>callee"
                                                                : "callee>caller";
  log.write(call_event(Level::info, name, call)
                .add("m", rule.stream)
                .add("component", word_of_component(rule.component))
                .add("proto", "udp")
                .add("caller", rule.a.to_string())
                .add("callee", rule.b.to_string())
                .add("dir", direction)
                .add("leg", leg.tag));
}

struct Totals {
  std::uint64_t packets = 0, bytes = 0;
};
using StreamKey = std::tuple<std::uint16_t, std::uint8_t, bool>; // stream, component, from caller

std::map<StreamKey, Totals> sum(const Call& call) {
  std::map<StreamKey, Totals> totals;
  for (const auto& [tag, leg] : call.legs)
    for (const auto& counter : leg.counters) {
      auto& total = totals[{counter.stream, counter.component,
                            leg.caller_endpoints.contains(counter.source)}];
      total.packets += counter.packets;
      total.bytes += counter.bytes;
    }
  return totals;
}

void append_word(std::string& list, std::string_view word) {
  if (!list.empty()) list += ',';
  list += word;
}

} // namespace

Event call_event(Level level, std::string_view name, const Call& call) {
  Event event(level, name);
  event.add("call", call.call_id);
  return event;
}

void write_rule_changes(EventLog& log, const Call& call, const Leg& leg,
                        const std::vector<pinhole::Rule>& before,
                        const std::vector<pinhole::Rule>& after) {
  for (const auto& rule : after) {
    const auto* old = find_flow(before, rule);
    if (old == nullptr)
      write_rule(log, "pinhole.open", call, leg, rule);
    else if (*old != rule)
      write_rule(log, "pinhole.update", call, leg, rule);
  }
  for (const auto& rule : before)
    if (find_flow(after, rule) == nullptr) write_rule(log, "pinhole.close", call, leg, rule);
}

void write_call_end(EventLog& log, const Call& call, Reason reason, int status,
                    sip::TimePoint now) {
  std::string media, oneway, silent;
  const auto totals = sum(call);
  for (const auto& [key, total] : totals) {
    const auto& [stream, component, is_from_caller] = key;
    append_word(media, std::to_string(stream) + "/" + std::string(word_of_component(component)) +
                           (is_from_caller ? "/caller>callee:" : "/callee>caller:") +
                           std::to_string(total.packets) + "p:" + std::to_string(total.bytes) +
                           "B");
    const auto reverse = totals.find({stream, component, !is_from_caller});
    const bool other_has = reverse != totals.end() && reverse->second.packets > 0;
    if (component != 1) continue;
    if (total.packets > 0 && !other_has) append_word(oneway, std::to_string(stream));
    if (total.packets == 0 && !other_has && (is_from_caller || reverse == totals.end()))
      append_word(silent, std::to_string(stream));
  }
  const auto since = call.is_answered ? call.answered : call.started;
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
  Event event = call_event(Level::info, "call.end", call);
  event.add("dur_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(duration, 0)));
  event.add("answered", call.is_answered ? "yes" : "no");
  if (status != 0) event.add("code", static_cast<std::uint64_t>(status));
  event.add("reason", reason == Reason::none ? "normal" : word_of(reason));
  if (!media.empty()) event.add("media", media);
  if (!oneway.empty()) event.add("oneway", oneway);
  if (!silent.empty()) event.add("silent", silent);
  log.write(event);
}

} // namespace midcom
