// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_messages.h"

#include <utility>

#include "daemon/channel.h"
#include "daemon/wire_variant.h"

namespace midcom::opener {

namespace {

static_assert(2 * max_body + 64 <= max_channel_message);                         // Verify
static_assert(max_body + max_uris * (max_uri + 4) + 128 <= max_channel_message); // Verified

template <class Wire>
void fields(Wire& wire, Field<Wire, Open>& open) {
  wire.number(open.id);
  wire.text(open.pair, max_pair);
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
void fields(Wire& wire, Field<Wire, Opened>& opened) {
  wire.number(opened.id);
  wire.boolean(opened.is_open);
  if (!opened.is_open) return;
  wire.text(opened.content, max_body);
  wire.boolean(opened.by_kek);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Verified>& verified) {
  wire.number(verified.id);
  wire.enumerator(verified.finding, Finding::failed);
  if (verified.finding != Finding::trusted) return;
  wire.text(verified.content, max_body);
  list(wire, verified.uris, max_uris,
       [](Wire& inner, Field<Wire, std::string>& uri) { inner.text(uri, max_uri); });
  octet_array<Wire, 32>(wire, verified.identity);
  octet_array<Wire, 32>(wire, verified.signer);
}

constexpr auto each_field = [](auto& wire, auto& message) { fields(wire, message); };

} // namespace

bool fits(const Request& request) {
  if (const auto* open = std::get_if<Open>(&request))
    return open->pair.size() <= max_pair && open->der.size() <= max_body;
  const auto& verify = std::get<Verify>(request);
  return verify.der.size() <= max_body && (!verify.detached || verify.detached->size() <= max_body);
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
