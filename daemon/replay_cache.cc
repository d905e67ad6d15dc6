// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/replay_cache.h"

#include <utility>

namespace midcom {

namespace {

constexpr std::size_t signers_share = 8;

// Call-IDs and CSeqs hold no control characters: the gate refuses them.
std::string key_of(const ReplayCache::Signed& body) {
  std::string key(body.digest.begin(), body.digest.end());
  return key.append(body.call_id).append(1, '\0').append(body.cseq);
}

} // namespace

void ReplayCache::forget_old(std::int64_t now) {
  while (!by_end_.empty() && by_end_.begin()->first < now) {
    const auto found = taken_.find(by_end_.begin()->second);
    const auto count = of_signer_.find(found->second.signer);
    if (--count->second == 0) of_signer_.erase(count);
    taken_.erase(found);
    by_end_.erase(by_end_.begin());
  }
}

Reason ReplayCache::take(const Signed& body, std::int64_t now) {
  forget_old(now);
  if (body.date < started_) return Reason::signature_stale;
  std::string key = key_of(body);
  if (const auto found = taken_.find(key); found != taken_.end()) {
    const bool is_repeated =
        found->second.identity == body.identity && now - found->second.first <= repeat_.count();
    return is_repeated ? Reason::none : Reason::signature_replayed;
  }
  const std::string signer(body.signer);
  auto count = of_signer_.find(signer);
  const std::size_t own = count == of_signer_.end() ? 0 : count->second;
  if (taken_.size() >= entries_ || own >= entries_ / signers_share + 1)
    return Reason::replay_table_full;
  by_end_.emplace(body.date + window_.count(), key);
  taken_.emplace(std::move(key), Entry{std::string(body.identity), signer, now});
  of_signer_[signer] = own + 1;
  return Reason::none;
}

} // namespace midcom
