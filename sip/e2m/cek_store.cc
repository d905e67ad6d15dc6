// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/cek_store.h"

#include <algorithm>
#include <iterator>

#include "sip/e2m/envelope.h"

namespace midcom::sip::e2m {

const CekStore::Entry* CekStore::live(std::string_view reference, std::string_view pair,
                                      std::int64_t now) const {
  const auto found = by_key_.find(Key(pair, reference));
  if (found == by_key_.end() || found->second->end <= now) return nullptr;
  return &*found->second;
}

void CekStore::drop(ByAge::iterator entry) {
  by_key_.erase(Key(entry->pair, entry->reference));
  by_age_.erase(entry);
}

void CekStore::make_room(const std::string& pair) {
  const auto first = by_key_.lower_bound(Key(pair, {}));
  auto oldest = first;
  std::size_t count = 0;
  for (auto at = first; at != by_key_.end() && at->first.first == pair; ++at, ++count)
    if (at->second->number < oldest->second->number) oldest = at;
  if (count > 0 && count >= limits_.entries_per_pair)
    drop(oldest->second);
  else if (!by_age_.empty() && by_age_.size() >= limits_.entries)
    drop(by_age_.begin());
}

bool CekStore::keep(std::string_view reference, std::string_view pair, Secret cek,
                    std::uint32_t max_decrypts, std::int64_t now) {
  expire(now);
  if (limits_.entries == 0 || limits_.entries_per_pair == 0) return false;
  Secret kek = kek_from_cek(cek);
  if (const Entry* known = live(reference, pair, now)) return known->kek == kek;
  const std::string owner(pair);
  make_room(owner);
  by_age_.push_back({std::string(reference),
                     owner,
                     std::move(kek),
                     std::min(max_decrypts, limits_.max_decrypts),
                     now + limits_.lifetime,
                     next_number_++,
                     {}});
  by_key_.emplace(Key(owner, reference), std::prev(by_age_.end()));
  return true;
}

const Secret* CekStore::find(std::string_view reference, std::string_view pair,
                             const Digest& message, std::int64_t now) const {
  const Entry* entry = live(reference, pair, now);
  if (entry == nullptr) return nullptr;
  const bool is_used_up = entry->decrypted.size() >= entry->max_decrypts;
  const bool is_counted = std::find(entry->decrypted.begin(), entry->decrypted.end(), message) !=
                          entry->decrypted.end();
  return is_used_up && !is_counted ? nullptr : &entry->kek;
}

void CekStore::count(std::string_view reference, std::string_view pair, const Digest& message,
                     std::int64_t now) {
  if (live(reference, pair, now) == nullptr) return;
  Entry& entry = *by_key_.find(Key(pair, reference))->second;
  const auto end = entry.decrypted.end();
  if (entry.decrypted.size() < entry.max_decrypts &&
      std::find(entry.decrypted.begin(), end, message) == end)
    entry.decrypted.push_back(message);
}

// All live equally long, so the oldest goes first; a clock set back only makes some live longer.
void CekStore::expire(std::int64_t now) {
  while (!by_age_.empty() && by_age_.front().end <= now) drop(by_age_.begin());
}

} // namespace midcom::sip::e2m
