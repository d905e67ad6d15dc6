// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/endpoint_dialogs.h"

namespace midcom {

const EndpointDialog* EndpointDialogs::find(std::string_view call_id,
                                            std::string_view remote_tag) const {
  auto found = by_key_.find({std::string(call_id), std::string(remote_tag)});
  if (found == by_key_.end()) found = by_key_.find({std::string(call_id), {}});
  return found == by_key_.end() ? nullptr : &found->second->dialog;
}

EndpointDialog& EndpointDialogs::touch(std::string_view call_id, std::string_view remote_tag,
                                       sip::TimePoint now) {
  forget_old(now);
  Key key{call_id, remote_tag};
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second);
  } else {
    const EndpointDialog* early = find(call_id, {});
    by_age_.push_back({key, early != nullptr ? *early : EndpointDialog{}, now});
    by_key_.emplace(std::move(key), std::prev(by_age_.end()));
  }
  by_age_.back().heard = now;
  return by_age_.back().dialog;
}

void EndpointDialogs::forget_old(sip::TimePoint now) {
  while (!by_age_.empty() &&
         (by_age_.size() >= most_ || by_age_.front().heard + lifetime_ <= now)) {
    by_key_.erase(by_age_.front().key);
    by_age_.pop_front();
  }
}

} // namespace midcom
