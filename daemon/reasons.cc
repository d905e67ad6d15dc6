// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/reasons.h"

#include <array>

namespace midcom {

namespace {

// In the order of the enumeration; the words are part of the interface (logs, Warning, metrics) and
// never change. A reason that ends a connection has the status of the requests that waited for it.
constexpr std::array rows = {
    ReasonRow{Reason::none, "none", 0, ""},
    ReasonRow{Reason::unsupported_scheme, "unsupported-scheme", 416, ""},
    ReasonRow{Reason::parse_error, "parse-error", 400, "Message could not be parsed"},
    ReasonRow{Reason::not_sip, "not-sip", 0, ""},
    ReasonRow{Reason::too_large, "too-large", 513, "Message exceeds a limit"},
    ReasonRow{Reason::unknown_peer, "unknown-peer", 403, "Sender is not a configured peer"},
    ReasonRow{Reason::method_not_allowed, "method-not-allowed", 405,
              "Method is not allowed for this peer"},
    ReasonRow{Reason::not_our_domain, "not-our-domain", 404, "Domain is not served here"},
    ReasonRow{Reason::no_route, "no-route", 404, "No route to this destination"},
    ReasonRow{Reason::too_many_hops, "too-many-hops", 483, ""},
    ReasonRow{Reason::loop_detected, "loop-detected", 482, ""},
    ReasonRow{Reason::bad_extension, "bad-extension", 420, ""},
    ReasonRow{Reason::token_tampered, "token-tampered", 403, "Flow token is not valid"},
    ReasonRow{Reason::flow_gone, "flow-gone", 430, "The connection to the phone is gone"},
    ReasonRow{Reason::sips_required, "sips-required", 480, "A SIPS request needs TLS on every hop"},
    ReasonRow{Reason::identity_mismatch, "identity-mismatch", 403,
              "Identity does not match the connection"},
    ReasonRow{Reason::tls_handshake, "tls-handshake", 503, "TLS handshake with next hop failed"},
    ReasonRow{Reason::tls_name, "tls-name", 503, "Next hop did not prove its name"},
    ReasonRow{Reason::tls_certificate, "tls-certificate", 503,
              "Certificate of next hop was not accepted"},
    ReasonRow{Reason::connect_failed, "connect-failed", 503, "Next hop could not be reached"},
    ReasonRow{Reason::idle, "idle", 503, ""},
    ReasonRow{Reason::closed, "closed", 503, ""},
    ReasonRow{Reason::overload, "overload", 503, "Overloaded"},
    ReasonRow{Reason::call_limit, "call-limit", 503, "Too many calls"},
    ReasonRow{Reason::transaction_limit, "transaction-limit", 503, "Too many transactions"},
    ReasonRow{Reason::sdp_syntax, "sdp-syntax", 488, "Session description could not be read"},
    ReasonRow{Reason::sdp_offer_answer, "sdp-offer-answer", 488,
              "Session description breaks offer/answer rules"},
    ReasonRow{Reason::media_forbidden_address, "media-forbidden-address", 488,
              "Media address is forbidden"},
    ReasonRow{Reason::media_forbidden_port, "media-forbidden-port", 488, "Media port is forbidden"},
    ReasonRow{Reason::media_not_source, "media-not-source", 488,
              "Media address is not the address of the sender"},
    ReasonRow{Reason::media_outside_networks, "media-outside-networks", 488,
              "Media address is outside the networks of the peer"},
    ReasonRow{Reason::media_no_side, "media-no-side", 488, "Media address belongs to no network"},
    ReasonRow{Reason::media_conflict, "media-conflict", 488,
              "Media addresses are in use by another call"},
    ReasonRow{Reason::keys_exposed, "keys-exposed", 488, "SRTP keys must be encrypted end to end"},
    ReasonRow{Reason::body_syntax, "body-syntax", 400, "Body could not be read"},
    ReasonRow{Reason::body_ambiguous, "body-ambiguous", 488,
              "Body holds session descriptions that differ"},
    ReasonRow{Reason::body_undecipherable, "body-undecipherable", 496, ""},
    ReasonRow{Reason::label_mismatch, "label-mismatch", 400,
              "Proxy-Inspect-Body names no part of the body"},
    ReasonRow{Reason::signature_required, "signature-required", 495, ""},
    ReasonRow{Reason::identity_unproved, "identity-unproved", 403, "Sender has proved no identity"},
    ReasonRow{Reason::signature_invalid, "signature-invalid", 403, "Signature is not valid"},
    ReasonRow{Reason::signature_stale, "signature-stale", 403, "Date of signed body is too old"},
    ReasonRow{Reason::signature_replayed, "signature-replayed", 403,
              "Signed body was taken before"},
    ReasonRow{Reason::signer_untrusted, "signer-untrusted", 403, "Signer is not trusted"},
    ReasonRow{Reason::signer_expired, "signer-expired", 403, "Certificate of signer has expired"},
    ReasonRow{Reason::signer_revoked, "signer-revoked", 403, "Certificate of signer is revoked"},
    ReasonRow{Reason::signer_mismatch, "signer-mismatch", 403, "Signer is not the sender"},
    ReasonRow{Reason::aib_missing, "aib-missing", 403,
              "Signature is not bound to a message (RFC 3893)"},
    ReasonRow{Reason::aib_mismatch, "aib-mismatch", 403,
              "Signature is bound to another message (RFC 3893)"},
    ReasonRow{Reason::replay_table_full, "replay-table-full", 503, "Too many signed bodies"},
    ReasonRow{Reason::answer_unacceptable, "answer-unacceptable", 488,
              "Answer can not be read or is not signed"},
    ReasonRow{Reason::sealed_for_others, "sealed-for-others", 493, ""},
    ReasonRow{Reason::private_differs, "private-differs", 488,
              "Private body is not the shared one with its keys"},
    ReasonRow{Reason::no_certificate, "no-certificate", 403,
              "No certificate of the other end to seal for"},
    ReasonRow{Reason::seal_failed, "seal-failed", 500, "Body could not be sealed"},
    ReasonRow{Reason::middlebox_down, "middlebox-down", 503, "Firewall control is not available"},
    ReasonRow{Reason::table_full, "table-full", 503, "Firewall table is full"},
    ReasonRow{Reason::not_participant, "not-participant", 403,
              "Sender is not a participant of this call"},
    ReasonRow{Reason::bad_route, "bad-route", 403, "Route is not allowed"},
    ReasonRow{Reason::timeout, "timeout", 408, ""},
    ReasonRow{Reason::write_overflow, "write-overflow", 503, ""},
    ReasonRow{Reason::media_lifetime, "media-lifetime", 0, ""},
    ReasonRow{Reason::media_timeout, "media-timeout", 0, ""},
    ReasonRow{Reason::session_expired, "session-expired", 0, ""},
    ReasonRow{Reason::call_replaced, "call-replaced", 0, ""},
    ReasonRow{Reason::shutdown, "shutdown", 503, "Shutting down"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].reason) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(Reason::shutdown) + 1;
}
static_assert(is_in_order(), "one row for each reason, in order");

} // namespace

const ReasonRow& row_of(Reason reason) {
  const auto index = static_cast<std::size_t>(reason);
  return rows[index < rows.size() ? index : 0];
}

std::string_view word_of(Reason reason) {
  return row_of(reason).word;
}

std::span<const ReasonRow> all_reasons() {
  return rows;
}

} // namespace midcom
