// SPDX-License-Identifier: GPL-3.0-or-later
// What may be read and believed of a message's body (E2M.md 4, 5; RFC 4189 2.2). The other services
// see a body only as a Disclosure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/reasons.h"
#include "daemon/rewritten.h"
#include "sip/host_names.h"

namespace midcom {

// What is asked of one message: the policies of the peers it concerns, and what its sender has
// proved so far.
struct DisclosureTerms {
  std::vector<std::string> view, verify; // media types, lower case
  bool forwards_opaque = true;
  bool accepts_legacy = true;     // clear bodies need no signature
  bool is_label_believed = false; // it came over TLS
  bool has_identity = false;      // the sender has proved one: worth public-key work (invariant 6)
  // A description that can't be read in clear is looked for, though nobody demands it: media opens
  // only for what is known.
  bool looks_for_description = false;
  // The body is for a user of ours, not for a middle: every envelope is tried, every signature
  // counts, and what was sealed is given out as it was before.
  bool is_recipient = false;
  std::chrono::seconds date_window{3600};

  [[nodiscard]] bool is_indifferent() const {
    return view.empty() && verify.empty() && forwards_opaque;
  }
};

// A signature that binds the body to this message.
struct VerifiedSigner {
  std::string uri;                       // address of record in the certificate
  std::array<std::uint8_t, 32> digest{}; // of the signature, for the replay cache
  std::int64_t date = 0;                 // of its AIB, seconds since the epoch
  std::string certificate{};             // DER; empty when it must not be encrypted to
};

struct Disclosure {
  // The one session description (application/sdp, disposition `session`) that can be read.
  std::optional<std::string> description;
  // Of the description, or of what else could be read when there is none.
  sip::NamedAddresses names; // what host names in it are pinned to
  bool is_sealed = false;    // it came out of an envelope
  std::optional<VerifiedSigner> signer;
  // All whose signature says something of this message: each counts once (replay cache).
  std::vector<VerifiedSigner> verified;
  // What the policy has against the body; `lacking` is the media type that Warning 380 names, empty
  // for the whole body.
  Reason finding = Reason::none;
  std::string lacking;
  // For a recipient: the entity that was signed and sealed, with its header block, identity body
  // and key-less copies gone. Empty: the body is plain.
  std::optional<std::string> plain;
  std::string cek_reference; // what an answer may be keyed by; empty: nothing
  Rewritten rewritten;       // what goes on in its place
};

} // namespace midcom
