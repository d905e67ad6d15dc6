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

} // namespace

const SeenDescription* Call::find_seen(const sip::Sdp* sdp) const {
  const auto found = std::ranges::find_if(seen, [&](const auto& s) { return s.sdp.get() == sdp; });
  return found == seen.end() ? nullptr : &*found;
}

bool Call::is_over() const {
  return std::ranges::all_of(legs, [](const auto& pair) { return pair.second.is_ended; });
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
  const bool is_backwards = !by_from->legs.contains(to) && by_to->legs.contains(from);
  return is_backwards ? by_to : by_from;
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
