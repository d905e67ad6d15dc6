// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinholes.h"

#include <algorithm>

namespace midcom {

bool Pinholes::add(pinhole::Sink sink, const pinhole::Promise& promise) {
  auto place = std::ranges::find(promises, promise);
  if (place == promises.end()) {
    if (promises.size() >= pinhole::max_promises) return false;
    place = promises.insert(place, promise);
  }
  sink.promise = static_cast<std::uint8_t>(place - promises.begin());
  if (std::ranges::find(sinks, sink) == sinks.end()) sinks.push_back(sink);
  return true;
}

std::size_t Pinholes::fit(std::size_t most) {
  if (size() <= most) return 0;
  Pinholes rest;
  rest.rules = rules;
  for (const bool is_offers : {false, true})
    for (const auto& sink : sinks)
      if (promise_of(sink).awaits_answer == is_offers && rest.size() < most)
        rest.add(sink, promise_of(sink));
  const std::size_t left_out = sinks.size() - rest.sinks.size();
  *this = std::move(rest);
  return left_out;
}

void Pinholes::normalize() {
  std::vector<pinhole::Promise> ordered = promises;
  std::ranges::sort(ordered);
  for (auto& sink : sinks)
    sink.promise = static_cast<std::uint8_t>(
        std::ranges::lower_bound(ordered, promises[sink.promise]) - ordered.begin());
  promises = std::move(ordered);
  std::ranges::sort(rules);
  std::ranges::sort(sinks);
}

bool Pinholes::has(const pinhole::Sink& sink, const pinhole::Promise& promise) const {
  return std::ranges::any_of(sinks, [&](pinhole::Sink own) {
    const bool is_promised = promise_of(own) == promise;
    own.promise = sink.promise;
    return is_promised && own == sink;
  });
}

bool Pinholes::includes(const Pinholes& other) const {
  return std::ranges::includes(rules, other.rules) &&
         std::ranges::all_of(other.sinks,
                             [&](const auto& sink) { return has(sink, other.promise_of(sink)); });
}

bool comes_of(const pinhole::Rule& rule, const pinhole::Sink& sink) {
  return rule.stream == sink.stream && rule.component == sink.component &&
         rule.protocol == sink.protocol && (sink.is_a ? rule.a : rule.b) == sink.at;
}

} // namespace midcom
