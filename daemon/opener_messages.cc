// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_messages.h"

#include <algorithm>
#include <utility>

#include "daemon/channel.h"
#include "daemon/wire_variant.h"

namespace midcom::opener {

namespace {

static_assert(2 * max_body + 64 <= max_channel_message); // Verify
static_assert(max_body + max_uris * (max_uri + 4) + max_certificate + 128 <=
              max_channel_message); // Verified
static_assert(max_body + max_recipients * (max_certificate + 4) + max_pair + 1024 <=
              max_channel_message); // Seal

template <class Wire>
void texts(Wire& wire, Field<Wire, std::vector<std::string>>& values, std::size_t most,
           std::size_t most_octets) {
  list(wire, values, most, [most_octets](Wire& inner, Field<Wire, std::string>& value) {
    inner.text(value, most_octets);
  });
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Open>& open) {
  wire.number(open.id);
  wire.text(open.pair, max_pair);
  wire.text(open.user, max_uri);
  wire.text(open.der, max_body);
  wire.boolean(open.may_use_private_key);
  wire.number(open.now);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Verify>& verify) {
  wire.number(verify.id);
  wire.text(verify.der, max_body);
  bool is_detached = verify.detached.has_value();
  wire.boolean(is_detached);
  if constexpr (Wire::is_writer) {
    if (is_detached) wire.text(*verify.detached, max_body);
  } else if (is_detached) {
    std::string text;
    wire.text(text, max_body);
    verify.detached = std::move(text);
  }
  wire.number(verify.now);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Seal>& seal) {
  wire.number(seal.id);
  wire.text(seal.pair, max_pair);
  wire.text(seal.user, max_uri);
  wire.text(seal.content, max_body);
  texts(wire, seal.recipients, max_recipients, max_certificate);
  wire.boolean(seal.is_for_user);
  wire.text(seal.kek_reference, max_reference);
  wire.text(seal.cek_reference, max_reference);
  wire.number(seal.now);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, CheckCertificate>& check) {
  wire.number(check.id);
  wire.text(check.der, max_body);
  wire.number(check.now);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Opened>& opened) {
  wire.number(opened.id);
  wire.boolean(opened.is_open);
  if (!opened.is_open) return;
  wire.text(opened.content, max_body);
  wire.boolean(opened.by_kek);
  wire.text(opened.cek_reference, max_reference);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Verified>& verified) {
  wire.number(verified.id);
  wire.enumerator(verified.finding, Finding::failed);
  if (verified.finding != Finding::trusted) return;
  wire.text(verified.content, max_body);
  texts(wire, verified.uris, max_uris, max_uri);
  octet_array<Wire, 32>(wire, verified.identity);
  octet_array<Wire, 32>(wire, verified.signer);
  wire.text(verified.certificate, max_certificate);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Sealed>& sealed) {
  wire.number(sealed.id);
  wire.boolean(sealed.is_done);
  if (!sealed.is_done) return;
  wire.boolean(sealed.is_sealed);
  wire.text(sealed.der, max_body);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, CheckedCertificate>& checked) {
  wire.number(checked.id);
  wire.enumerator(checked.finding, Finding::failed);
  if (checked.finding != Finding::trusted) return;
  wire.text(checked.certificate, max_certificate);
  texts(wire, checked.uris, max_uris, max_uri);
  texts(wire, checked.dns_names, max_uris, max_uri);
}

constexpr auto each_field = [](auto& wire, auto& message) { fields(wire, message); };

} // namespace

namespace {

bool fits(const Open& open) {
  return open.pair.size() <= max_pair && open.user.size() <= max_uri && open.der.size() <= max_body;
}

bool fits(const Verify& verify) {
  return verify.der.size() <= max_body && (!verify.detached || verify.detached->size() <= max_body);
}

bool fits(const Seal& seal) {
  const auto is_fit = [](const auto& octets) { return octets.size() <= max_certificate; };
  return seal.pair.size() <= max_pair && seal.user.size() <= max_uri &&
         seal.content.size() <= max_body && seal.recipients.size() <= max_recipients &&
         std::ranges::all_of(seal.recipients, is_fit) &&
         seal.kek_reference.size() <= max_reference && seal.cek_reference.size() <= max_reference;
}

bool fits(const CheckCertificate& check) {
  return check.der.size() <= max_body;
}

} // namespace

bool fits(const Request& request) {
  return std::visit([](const auto& message) { return fits(message); }, request);
}

std::string encode(const Request& request) {
  return encode_variant(request, KindBase::opener_request, each_field);
}

std::string encode(const Reply& reply) {
  return encode_variant(reply, KindBase::opener_reply, each_field);
}

std::expected<Request, WireError> decode_request(std::string_view bytes) {
  return decode_variant<Request>(bytes, KindBase::opener_request, each_field);
}

std::expected<Reply, WireError> decode_reply(std::string_view bytes) {
  return decode_variant<Reply>(bytes, KindBase::opener_reply, each_field);
}

std::uint64_t id_of(const Request& request) {
  return std::visit([](const auto& message) { return message.id; }, request);
}

std::uint64_t id_of(const Reply& reply) {
  return std::visit([](const auto& message) { return message.id; }, reply);
}

std::string_view to_string(Finding finding) {
  switch (finding) {
  case Finding::trusted:
    return "trusted";
  case Finding::bad_signature:
    return "bad-signature";
  case Finding::unsupported:
    return "unsupported";
  case Finding::untrusted:
    return "untrusted";
  case Finding::expired:
    return "expired";
  case Finding::not_yet_valid:
    return "not-yet-valid";
  case Finding::revoked:
    return "revoked";
  case Finding::revocation_unknown:
    return "revocation-unknown";
  case Finding::purpose:
    return "purpose";
  case Finding::no_identity:
    return "no-identity";
  case Finding::failed:
    return "failed";
  }
  return "";
}

} // namespace midcom::opener
