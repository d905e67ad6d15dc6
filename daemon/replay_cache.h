// SPDX-License-Identifier: GPL-3.0-or-later
// Which signed bodies have been taken already (RFC 3893 section 8; E2M.md 5). A body counts once:
// the branches of an upstream fork and repetitions pass while their transaction may live and the
// sender's identity is the same.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/reasons.h"
#include "sip/transaction.h"

namespace midcom {

class ReplayCache {
public:
  struct Signed {
    std::string_view signer;                    // address of record
    const std::array<std::uint8_t, 32>& digest; // of the signature
    std::string_view call_id, cseq;             // number and method
    std::int64_t date;                          // of the AIB, seconds since the epoch
    std::string_view identity;                  // what the sender's flow has proved
  };

  // `started` is in seconds since the epoch: what is dated before it may have been taken by a
  // process that is gone. At most `entries`, of one signer an eighth of them. `repeat` is how long
  // one transaction may live.
  ReplayCache(std::int64_t started, std::chrono::seconds window, std::size_t entries,
              std::chrono::seconds repeat)
      : started_(started), window_(window), entries_(entries), repeat_(repeat) {}

  // none; signature_replayed; signature_stale (dated before the start); replay_table_full.
  [[nodiscard]] Reason take(const Signed& body, std::int64_t now);
  [[nodiscard]] std::size_t size() const { return taken_.size(); }

private:
  struct Entry {
    std::string identity, signer;
    std::int64_t first = 0;
  };
  void forget_old(std::int64_t now);

  const std::int64_t started_;
  const std::chrono::seconds window_;
  const std::size_t entries_;
  const std::chrono::seconds repeat_;
  std::unordered_map<std::string, Entry> taken_;
  std::multimap<std::int64_t, std::string> by_end_; // when its Date is too old to pass anyway
  std::unordered_map<std::string, std::size_t> of_signer_;
};

} // namespace midcom
