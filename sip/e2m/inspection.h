// SPDX-License-Identifier: GPL-3.0-or-later
// A message, or a MIME entity, looked at part by part with the keys and authorities at hand: who
// can read which part, who signed it, whether that verifies, and what it is bound to. For a person
// who asks; midcomd itself answers these questions step by step, in other processes.
//
// `SeenPart::content` is plain text that was sealed, keys included: it is for writing to a file on
// request, and goes through with_keys_hidden before it is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/aib.h"
#include "sip/e2m/digest.h"
#include "sip/e2m/distrust.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/trust.h"
#include "sip/error.h"
#include "sip/mime.h"

namespace midcom::sip::e2m {

struct SeenRecipient {
  std::string name, method; // as cms_text.h has them
  bool has_given_key = false;
};

struct SeenEnvelope {
  enum class Outcome : std::uint8_t {
    not_tried,      // no key was given
    not_ours,       // no given certificate is named
    undecipherable, // one is named, and yet
    opened,
  };
  std::string_view cipher;
  std::vector<SeenRecipient> recipients;
  std::optional<std::string> cek_reference; // hexadecimal
  std::uint32_t max_decrypts = 1;           // with a reference
  Outcome outcome = Outcome::not_tried;
};

// What of the message a signature holds fast.
enum class Binding : std::uint8_t {
  not_asked,     // there is no message, only an entity
  this_message,  // its identity body names this message, and its signer is the one it names
  no_identity,   // there is no identity body
  unclear,       // there are several, or one that can't be read
  outside,       // what is in the envelope has none: anyone can sign what was sealed by others
  other_message, // SeenSignature::fault says in what it differs
  other_signer,  // the certificate is not the author's
};

struct SeenSignature {
  bool is_detached = false;
  std::string method;               // "ECDSA, SHA-256"
  std::string subject;              // of the signer's certificate; empty when nothing verifies
  std::vector<std::string> uris;    // of the signer's certificate
  Digest signer{};                  // its fingerprint
  std::optional<Distrust> distrust; // why it isn't believed
  bool is_vouched = false;          // an authority was asked, and vouches
  Binding binding = Binding::not_asked;
  AibFault fault = AibFault::none;
};

struct SeenPart {
  std::string type;   // "application/sdp"; empty when there is no body
  std::string detail; // smime-type, as it stands
  std::string content_id, disposition;
  Handling handling = Handling::required;
  std::size_t size = 0;             // octets of the body as it came
  std::vector<std::string> middles; // whose label names it
  std::string fault;                // why it can't be read; a word of error.h
  bool is_outside_profile = false;  // well formed, but of a kind nobody reads here
  std::optional<SeenEnvelope> envelope;
  std::optional<SeenSignature> signature;
  std::optional<Aib> identity;
  std::vector<std::string> certificates; // their subjects, when it is a bag of them
  std::optional<std::string> content;    // of what has no structure of its own
  bool is_verified = false;              // signed by a believed signer, and bound
  std::vector<SeenPart> parts;
};

struct SeenLabel {
  std::string host;
  std::vector<std::string> content_ids;
  bool is_readable = true;
  bool has_part = false; // the first content id names a part
};

// Of two descriptions side by side, the shared one and the private one.
enum class Pairing : std::uint8_t {
  none,         // not two of them
  same,         // the private one is the shared one and keys
  different,    // user agent and middle would go by different descriptions
  other_signer, // nobody vouches for both
};

enum class Verdict : std::uint8_t {
  good,      // whatever was asked for verifies and opens
  refused,   // something isn't trusted, or nothing is for the keys given
  malformed, // something can't be read by the rules
};

struct Inspection {
  std::string start_line; // empty for an entity
  std::vector<SeenLabel> labels;
  SeenPart root;
  Pairing pairing = Pairing::none;
  Verdict verdict = Verdict::good;
};

struct InspectionOrder {
  std::span<const DecryptionKey> keys = {}; // every envelope that names one is opened
  TrustStore* trust = nullptr;              // null: nobody is asked who vouches for the signer
  std::int64_t now = 0;
};

// `octets` are a SIP message when their first line says so, else an entity. Reads at most 65536
// octets and 256 parts, 8 envelopes and signatures inside one another.
[[nodiscard]] Inspection inspect(std::string_view octets, const InspectionOrder& order);

// What the message is about: its one readable part without structure, or the last of several (the
// private one of two descriptions). nullptr when there is none.
[[nodiscard]] const SeenPart* innermost(const SeenPart& part);

[[nodiscard]] std::string_view to_string(SeenEnvelope::Outcome outcome);
[[nodiscard]] std::string_view to_string(Binding binding);
[[nodiscard]] std::string_view to_string(Pairing pairing);
[[nodiscard]] std::string_view to_string(Verdict verdict);

} // namespace midcom::sip::e2m
