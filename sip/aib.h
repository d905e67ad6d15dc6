// SPDX-License-Identifier: GPL-3.0-or-later
// The authenticated identity body (RFC 3893): a message/sipfrag (RFC 3420) of the header fields
// that bind a signed body to one message. midcomd's profile also wants To and CSeq. Whether the
// part has the disposition `aib`, and whether it is signed, is the caller's to see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/message.h"

namespace midcom::sip {

struct AibField {
  std::string name, value;
  friend bool operator==(const AibField&, const AibField&) = default;
};

struct AibCSeq {
  std::uint32_t number = 0;
  std::string method;
  friend bool operator==(const AibCSeq&, const AibCSeq&) = default;
};

struct Aib {
  std::string from;     // the URI alone
  std::string from_tag; // empty when there is none
  std::optional<std::string> to;
  std::string to_tag;
  std::string call_id;
  std::optional<AibCSeq> cseq;
  std::int64_t date = 0;              // seconds since the epoch
  std::optional<std::string> contact; // the URI alone
  // Every other field in order, folds and all: a label or Proxy-Authorization for a middle.
  std::vector<AibField> others;

  friend bool operator==(const Aib&, const Aib&) = default;
};

// From, Call-ID and Date must be there; Contact holds one URI. The final empty line may lack (RFC
// 3420 2). Error::unsupported for a sipfrag with a body, Error::syntax for one with a start line:
// neither is what RFC 3893 signs.
[[nodiscard]] Result<Aib> parse_aib(std::string_view sipfrag);
// As parse_aib reads it; an Error for what it would not read so.
[[nodiscard]] Result<std::string> write_aib(const Aib& aib);

enum class AibFault : std::uint8_t { none, missing_field, from, to, call_id, cseq, date, contact };
[[nodiscard]] std::string_view to_string(AibFault fault); // kebab-case, "" for none

// What of the AIB is not the message's. Call-ID, CSeq and, when the message has one, Contact must
// be in both, and a Date that the message has must be the same moment (RFC 3261 23.4.2).
// Request: From and To are the message's by address of record, and by tag when the AIB names one.
// Response (RFC 3893 6): From is the responder, who need not be the message's To and is not judged
// here (is_same_address); it has no To, so that nobody answers with the request's own AIB.
// Whether the Date is near now is the caller's to see.
[[nodiscard]] AibFault check_aib(const Aib& aib, const Message& message);

// The same scheme, user and host by the rules of RFC 3261 19.1.4, whatever else the URIs say.
[[nodiscard]] bool is_same_address(std::string_view uri, const Uri& other);

} // namespace midcom::sip
