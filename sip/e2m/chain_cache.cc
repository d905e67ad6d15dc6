// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/chain_cache.h"

namespace midcom::sip::e2m {

void ChainCache::forget(std::map<Digest, Entry>::iterator entry) {
  by_use_.erase(entry->second.used);
  entries_.erase(entry);
}

void ChainCache::remember(const Digest& fingerprint, std::int64_t from, std::int64_t until) {
  if (most_ == 0 || from >= until) return;
  if (const auto known = entries_.find(fingerprint); known != entries_.end()) forget(known);
  if (entries_.size() >= most_) forget(entries_.find(by_use_.front()));
  by_use_.push_back(fingerprint);
  entries_.emplace(fingerprint,
                   Entry{.from = from, .until = until, .used = std::prev(by_use_.end())});
}

bool ChainCache::holds(const Digest& fingerprint, std::int64_t now) {
  const auto known = entries_.find(fingerprint);
  if (known == entries_.end()) return false;
  if (now < known->second.from || now >= known->second.until) {
    forget(known);
    return false;
  }
  by_use_.splice(by_use_.end(), by_use_, known->second.used);
  return true;
}

} // namespace midcom::sip::e2m
