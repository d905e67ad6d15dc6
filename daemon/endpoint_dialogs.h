// SPDX-License-Identifier: GPL-3.0-or-later
// What an endpoint knows of the far end of each dialog: by Call-ID and remote tag, before there is
// one by Call-ID alone. Nothing of it survives a restart; it is learned again from the far end's
// messages and refusals (493, 496).
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip/transaction.h"

namespace midcom {

struct Middle {
  std::string name;        // as a label names it
  std::string certificate; // DER; empty: it is labelled but not shown anything
  bool operator==(const Middle&) const = default;
};

struct EndpointDialog {
  std::string user;            // ours: address of record
  std::string far_signer;      // who signed the far end's answer
  std::string far_certificate; // DER
  std::string cek_reference;   // what the far end offered last; empty: nothing
  std::vector<Middle> middles; // of either side, learned from their refusals
  bool is_plain = false;       // the far end began without S/MIME
};

class EndpointDialogs {
public:
  // Each is forgotten when nothing has been heard of it for that long; beyond `most` the oldest is.
  EndpointDialogs(std::size_t most, std::chrono::seconds lifetime)
      : most_(most), lifetime_(lifetime) {}

  // Null when there is none; that of the Call-ID alone where the tag has none yet.
  [[nodiscard]] const EndpointDialog* find(std::string_view call_id,
                                           std::string_view remote_tag) const;
  // Made if need be, from that of the Call-ID alone. Valid until the next call.
  EndpointDialog& touch(std::string_view call_id, std::string_view remote_tag, sip::TimePoint now);
  [[nodiscard]] std::size_t size() const { return by_age_.size(); }

private:
  using Key = std::pair<std::string, std::string>;
  struct Entry {
    Key key;
    EndpointDialog dialog;
    sip::TimePoint heard;
  };
  void forget_old(sip::TimePoint now);

  std::size_t most_;
  std::chrono::seconds lifetime_;
  std::list<Entry> by_age_; // oldest first
  std::map<Key, std::list<Entry>::iterator> by_key_;
};

} // namespace midcom
