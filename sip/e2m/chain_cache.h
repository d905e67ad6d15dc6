// SPDX-License-Identifier: GPL-3.0-or-later
// Which certificates were found to lead to a trusted authority, and from when until when that
// holds. Only what was trusted is remembered: a stranger can't push anything out, for getting in
// takes a certificate of a trusted authority. When it is full, the one unused for longest goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include "sip/e2m/digest.h"

namespace midcom::sip::e2m {

class ChainCache {
public:
  explicit ChainCache(std::size_t most) : most_(most) {}

  // The chain holds for from <= time < until, in seconds since the epoch.
  void remember(const Digest& fingerprint, std::int64_t from, std::int64_t until);
  // Forgets what no longer holds.
  [[nodiscard]] bool holds(const Digest& fingerprint, std::int64_t now);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
  struct Entry {
    std::int64_t from, until;
    std::list<Digest>::iterator used;
  };
  void forget(std::map<Digest, Entry>::iterator entry);

  std::size_t most_;
  std::map<Digest, Entry> entries_;
  std::list<Digest> by_use_; // the one used last at the end
};

} // namespace midcom::sip::e2m
