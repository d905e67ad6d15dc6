// SPDX-License-Identifier: GPL-3.0-or-later
// The closed list of refusal reasons (DESIGN invariant 9): the same word in the log (reason=), the
// SIP Warning text and, later, metrics and `midcomctl explain`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace midcom {

enum class Reason : std::uint8_t {
  none,
  unsupported_scheme,
  parse_error,
  not_sip,
  too_large,
  unknown_peer,
  method_not_allowed,
  not_our_domain,
  no_route,
  too_many_hops,
  loop_detected,
  bad_extension,
  token_tampered,
  flow_gone,
  sips_required,
  identity_mismatch,
  tls_handshake,
  tls_name,
  tls_certificate,
  connect_failed,
  idle,
  closed,
  overload,
  call_limit,
  transaction_limit,
  sdp_syntax,
  sdp_offer_answer,
  media_forbidden_address,
  media_forbidden_port,
  media_not_source,
  media_outside_networks,
  media_no_side,
  media_conflict,
  keys_exposed,
  body_syntax,
  body_ambiguous,
  body_undecipherable,
  label_mismatch,
  signature_required,
  identity_unproved,
  signature_invalid,
  signature_stale,
  signature_replayed,
  signer_untrusted,
  signer_expired,
  signer_revoked,
  signer_mismatch,
  aib_missing,
  aib_mismatch,
  replay_table_full,
  answer_unacceptable,
  sealed_for_others,
  private_differs,
  no_certificate,
  seal_failed,
  middlebox_down,
  table_full,
  not_participant,
  bad_route,
  timeout,
  write_overflow,
  media_lifetime,
  media_timeout,
  session_expired,
  call_replaced,
  shutdown,
};

struct ReasonRow {
  Reason reason;
  std::string_view word;    // "media-forbidden-address"
  int status;               // the SIP status it is answered with; 0: not answered
  std::string_view warning; // text of Warning 399; empty: no Warning
};
[[nodiscard]] const ReasonRow& row_of(Reason reason);
[[nodiscard]] std::string_view word_of(Reason reason);
[[nodiscard]] std::span<const ReasonRow> all_reasons();

} // namespace midcom
