// SPDX-License-Identifier: GPL-3.0-or-later
// CEKs kept for the messages that will be keyed by them (RFC 3185), by reference and pair of
// participants: page-mode messages have no dialog, and a reference alone would let one pair use up
// or guess at another's. Bounded in number, in all and for each pair, and in time; what goes is
// wiped.
//
// A hit proves nothing about who sent the message or when (RFC 3185 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip/e2m/digest.h"
#include "sip/e2m/secret.h"

namespace midcom::sip::e2m {

struct CekLimits {
  std::size_t entries = 4096;
  std::size_t entries_per_pair = 16; // then that pair's oldest goes
  std::int64_t lifetime = 3600;      // seconds from when it was kept
  std::uint32_t max_decrypts = 64;   // whatever the message says
};

class CekStore {
public:
  explicit CekStore(const CekLimits& limits) : limits_(limits) {}

  // The same CEK under the same reference again (a retransmission, a second branch) changes
  // nothing. Another CEK under a live reference is refused: the first one offered is the one
  // answers are keyed by, and whoever saw its reference can't displace it.
  bool keep(std::string_view reference, std::string_view pair, Secret cek,
            std::uint32_t max_decrypts, std::int64_t now);

  // The KEK for a message with this digest: null when the reference is unknown to the pair, its
  // time is over, or as many other messages as it allows were counted. Valid until the store
  // changes.
  [[nodiscard]] const Secret* find(std::string_view reference, std::string_view pair,
                                   const Digest& message, std::int64_t now) const;

  // The message was decrypted by it. The same octets count once.
  void count(std::string_view reference, std::string_view pair, const Digest& message,
             std::int64_t now);

  void expire(std::int64_t now);
  [[nodiscard]] std::size_t size() const { return by_age_.size(); }

private:
  struct Entry {
    std::string reference;
    std::string pair;
    Secret kek;
    std::uint32_t max_decrypts;
    std::int64_t end;
    std::uint64_t number; // in the order they came
    std::vector<Digest> decrypted;
  };
  using ByAge = std::list<Entry>;                  // oldest first
  using Key = std::pair<std::string, std::string>; // pair, reference

  [[nodiscard]] const Entry* live(std::string_view reference, std::string_view pair,
                                  std::int64_t now) const;
  void drop(ByAge::iterator entry);
  void make_room(const std::string& pair);

  CekLimits limits_;
  std::uint64_t next_number_ = 0;
  ByAge by_age_;
  std::map<Key, ByAge::iterator> by_key_;
};

} // namespace midcom::sip::e2m
