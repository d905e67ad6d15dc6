// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call_log.h"

#include <algorithm>
#include <string>
#include <utility>

namespace midcom {
namespace {

std::string_view word_of_protocol(std::uint8_t protocol) {
  return protocol == 6 ? "tcp" : "udp";
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
  const std::string_view direction =
      rule.from_a && rule.from_b ? "both" : word_of_direction(rule.from_a);
  log.write(call_event(Level::info, name, call)
                .add("m", rule.stream)
                .add("component", word_of_component(rule.component))
                .add("proto", word_of_protocol(rule.protocol))
                .add("caller", rule.a.to_string())
                .add("callee", rule.b.to_string())
                .add("dir", direction)
                .add("leg", leg.tag));
}

constexpr std::pair<std::uint8_t, std::string_view> kind_words[] = {
    {pinhole::kind_stun, "stun"}, {pinhole::kind_dtls, "dtls"},   {pinhole::kind_rtp, "rtp"},
    {pinhole::kind_rtcp, "rtcp"}, {pinhole::kind_udptl, "udptl"}, {pinhole::kind_tcp, "tcp"},
};

void append_word(std::string& list, std::string_view word) {
  if (!list.empty()) list += ',';
  list += word;
}

std::string words_of_kinds(std::uint8_t kinds) {
  std::string words;
  for (const auto& [kind, word] : kind_words)
    if ((kinds & kind) != 0) append_word(words, word);
  return words;
}

// Those of open offers come and go with every call.
void write_sink(EventLog& log, std::string_view name, const Call& call, const Leg& leg,
                const pinhole::Sink& sink, const pinhole::Promise& promise) {
  log.write(call_event(promise.awaits_answer ? Level::debug : Level::info, name, call)
                .add("m", sink.stream)
                .add("component", word_of_component(sink.component))
                .add("proto", word_of_protocol(sink.protocol))
                .add("of", sink.is_a ? "caller" : "callee")
                .add("at", sink.at.to_string())
                .add("first", words_of_kinds(promise.kinds))
                .add("awaits", promise.awaits_answer ? "answer" : "packet")
                .add("leg", leg.tag));
}

void write_sinks(EventLog& log, std::string_view name, const Call& call, const Leg& leg,
                 const Pinholes& those, const Pinholes& others) {
  for (const auto& sink : those.sinks)
    if (const auto& promise = those.promise_of(sink); !others.has(sink, promise))
      write_sink(log, name, call, leg, sink, promise);
}

MediaCounts sum(const Call& call) {
  MediaCounts totals;
  for (const auto& [tag, leg] : call.legs) add_up(leg.media.ended, totals);
  return totals;
}

std::string word_of(const MediaKey& key) {
  return std::to_string(key.stream) + "/" + std::string(word_of_component(key.component)) + "/" +
         std::string(word_of_direction(key.is_from_caller));
}

std::string first_packets(const Call& call) {
  std::string words;
  for (const auto& [tag, leg] : call.legs)
    for (const auto& [key, delay] : leg.media.first_ms)
      append_word(words, word_of(key) + ":" + std::to_string(delay));
  return words;
}

} // namespace

std::string_view word_of_component(std::uint8_t component) {
  return component == 1 ? "rtp" : "rtcp";
}

std::string_view word_of_direction(bool is_from_caller) {
  return is_from_caller ? "caller>callee" : "callee>caller";
}

void add_up(const MediaCounts& more, MediaCounts& counts) {
  for (const auto& [key, total] : more) {
    auto& sum = counts[key];
    sum.packets += total.packets;
    sum.bytes += total.bytes;
  }
}

void add_up(const Leg& leg, const std::vector<pinhole::Counter>& counters, MediaCounts& counts) {
  for (const auto& counter : counters) {
    auto& total =
        counts[{counter.stream, counter.component, leg.caller_endpoints.contains(counter.source)}];
    total.packets += counter.packets;
    total.bytes += counter.bytes;
  }
}

Event call_event(Level level, std::string_view name, const Call& call) {
  Event event(level, name);
  event.add("call", call.call_id);
  return event;
}

void write_changes(EventLog& log, const Call& call, const Leg& leg, const Pinholes& before,
                   const Pinholes& after) {
  for (const auto& rule : after.rules) {
    const auto* old = find_flow(before.rules, rule);
    if (old == nullptr)
      write_rule(log, "pinhole.open", call, leg, rule);
    else if (*old != rule)
      write_rule(log, "pinhole.update", call, leg, rule);
  }
  write_sinks(log, "sink.open", call, leg, after, before);
  write_sinks(log, "sink.close", call, leg, before, after);
  for (const auto& rule : before.rules)
    if (find_flow(after.rules, rule) == nullptr) write_rule(log, "pinhole.close", call, leg, rule);
}

void write_admitted(EventLog& log, const Call& call, const Leg& leg,
                    const pinhole::event::Admitted& admitted, const pinhole::Sink* sink) {
  const auto& rule = admitted.rule;
  Event event = call_event(Level::info, "gate.admit", call);
  event.add("m", rule.stream)
      .add("component", word_of_component(rule.component))
      .add("proto", word_of_protocol(rule.protocol))
      .add("caller", rule.a.to_string())
      .add("callee", rule.b.to_string());
  if (sink != nullptr) event.add("src", (sink->is_a ? rule.b : rule.a).to_string());
  event.add("by", words_of_kinds(admitted.kind)).add("leg", leg.tag);
  log.write(event);
}

void write_first_packet(EventLog& log, const Call& call, const Leg& leg, const MediaKey& key,
                        std::uint32_t delay_ms, sip::TimePoint now) {
  Event event = call_event(Level::info, "media.first", call);
  event.add("m", key.stream)
      .add("component", word_of_component(key.component))
      .add("dir", word_of_direction(key.is_from_caller))
      .add("open_ms", delay_ms);
  if (call.is_answered) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - call.answered);
    event.add("answer_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0)));
  }
  event.add("leg", leg.tag);
  log.write(event);
}

void write_call_end(EventLog& log, const Call& call, Reason reason, int status,
                    sip::TimePoint now) {
  std::string media, oneway, silent;
  const auto totals = sum(call);
  for (const auto& [key, total] : totals) {
    const auto& [stream, component, is_from_caller] = key;
    append_word(media, word_of(key) + ":" + std::to_string(total.packets) +
                           "p:" + std::to_string(total.bytes) + "B");
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
  if (const auto first = first_packets(call); !first.empty()) event.add("first_ms", first);
  if (!oneway.empty()) event.add("oneway", oneway);
  if (!silent.empty()) event.add("silent", silent);
  log.write(event);
}

} // namespace midcom
