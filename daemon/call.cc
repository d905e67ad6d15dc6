// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call.h"

#include <algorithm>

namespace midcom {
namespace {

// Call-IDs and tags hold no control characters: the gate refuses them.
std::string key_of(std::string_view call_id, std::string_view tag) {
  std::string key;
  key.reserve(call_id.size() + tag.size() + 1);
  return key.append(call_id).append(1, '\0').append(tag);
}

// How well a call knows the dialog with this tag.
int knowledge_of(const Call& call, std::string_view tag) {
  const auto leg = call.legs.find(tag);
  const bool is_there = leg != call.legs.end();
  if (is_there && leg->second.proof != Proof::none) return 3;
  if (!call.is_orphan) return 2; // what an orphan has is but a request's word
  return is_there ? 1 : 0;
}

} // namespace

const SeenDescription* Call::find_seen(const sip::Sdp* sdp) const {
  const auto found = std::ranges::find_if(seen, [&](const auto& s) { return s.sdp.get() == sdp; });
  return found == seen.end() ? nullptr : &*found;
}

bool Call::is_over() const {
  return std::ranges::all_of(legs, [](const auto& pair) { return pair.second.is_ended; });
}

Leg* Call::find_leg(std::string_view tag, std::uint64_t id) {
  if (offer && offer->id == id) return &*offer;
  const auto found = legs.find(tag);
  return found != legs.end() && found->second.id == id ? &found->second : nullptr;
}

bool Call::has_sent(const sip::Message& request) const {
  return std::ranges::any_of(request.vias(), [&](const auto& via) {
    return std::ranges::find(branches, via.branch()) != branches.end();
  });
}

CallPtr CallTable::find(const sip::Message& message) const {
  const auto by_tag = [&](std::string_view tag) -> CallPtr {
    if (tag.empty()) return nullptr;
    const auto found = calls_.find(key_of(message.call_id(), tag));
    return found == calls_.end() ? nullptr : found->second;
  };
  const auto from = message.from().tag(), to = message.to().tag();
  CallPtr by_from = by_tag(from), by_to = by_tag(to);
  if (!by_from || !by_to) return by_from ? by_from : by_to;
  return knowledge_of(*by_to, from) > knowledge_of(*by_from, to) ? by_to : by_from;
}

bool CallTable::has_proved(std::string_view call_id, std::string_view caller_tag,
                           std::string_view tag) const {
  const auto found = calls_.find(key_of(call_id, caller_tag));
  return found != calls_.end() && knowledge_of(*found->second, tag) == 3;
}

CallPtr CallTable::create(std::string_view call_id, std::string_view caller_tag,
                          sip::TimePoint now) {
  auto call = std::make_shared<Call>();
  call->call_id = call_id;
  call->caller_tag = caller_tag;
  call->started = now;
  calls_[key_of(call_id, caller_tag)] = call;
  return call;
}

void CallTable::erase(const Call& call) {
  const auto found = calls_.find(key_of(call.call_id, call.caller_tag));
  if (found != calls_.end() && found->second.get() == &call) calls_.erase(found);
}

} // namespace midcom
