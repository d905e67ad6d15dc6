// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/inspection_text.h"

#include "daemon/json.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;

void add_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& words) {
  json.key(name).begin_array();
  for (const std::string& word : words) json.value(std::string_view(word));
  json.end();
}

void add_envelope(JsonWriter& json, const e2m::SeenEnvelope& envelope) {
  json.key("envelope").begin_object().member("cipher", envelope.cipher);
  json.key("recipients").begin_array();
  for (const e2m::SeenRecipient& recipient : envelope.recipients)
    json.begin_object()
        .member("name", std::string_view(recipient.name))
        .member("method", std::string_view(recipient.method))
        .member("given_key", recipient.has_given_key)
        .end();
  json.end();
  if (envelope.cek_reference)
    json.member("reference", std::string_view(*envelope.cek_reference))
        .member("max_decrypts", std::uint64_t{envelope.max_decrypts});
  json.member("outcome", to_string(envelope.outcome)).end();
}

void add_signature(JsonWriter& json, const e2m::SeenSignature& signature) {
  json.key("signature").begin_object();
  json.member("subject", std::string_view(signature.subject));
  add_list(json, "uris", signature.uris);
  json.member("method", std::string_view(signature.method))
      .member("detached", signature.is_detached)
      .member("verifies", !signature.distrust)
      .member("trusted", signature.is_vouched);
  if (signature.distrust) json.member("distrust", to_string(*signature.distrust));
  json.member("binding", to_string(signature.binding));
  if (signature.fault != sip::AibFault::none) json.member("differs", to_string(signature.fault));
  json.end();
}

void add_part(JsonWriter& json, const e2m::SeenPart& part) {
  json.begin_object()
      .member("type", std::string_view(part.type))
      .member("octets", std::uint64_t{part.size})
      .member("handling", part.handling == sip::Handling::optional ? "optional" : "required");
  if (!part.detail.empty()) json.member("smime_type", std::string_view(part.detail));
  if (!part.content_id.empty()) json.member("content_id", std::string_view(part.content_id));
  if (!part.disposition.empty()) json.member("disposition", std::string_view(part.disposition));
  if (!part.fault.empty()) json.member("fault", std::string_view(part.fault));
  if (!part.middles.empty()) add_list(json, "middles", part.middles);
  if (part.envelope) add_envelope(json, *part.envelope);
  if (part.signature) add_signature(json, *part.signature);
  if (!part.certificates.empty()) add_list(json, "certificates", part.certificates);
  if (const auto lines = shown_lines(part); !lines.empty()) add_list(json, "lines", lines);
  if (part.content) json.member("verified", part.is_verified);
  if (!part.parts.empty()) {
    json.key("parts").begin_array();
    for (const e2m::SeenPart& inner : part.parts) add_part(json, inner);
    json.end();
  }
  json.end();
}

} // namespace

std::string inspection_json(const e2m::Inspection& seen) {
  JsonWriter json;
  json.begin_object().member("verdict", to_string(seen.verdict));
  if (!seen.start_line.empty()) json.member("start_line", std::string_view(seen.start_line));
  json.key("labels").begin_array();
  for (const e2m::SeenLabel& label : seen.labels) {
    json.begin_object().member("host", std::string_view(label.host));
    add_list(json, "content_ids", label.content_ids);
    json.member("readable", label.is_readable).member("has_part", label.has_part).end();
  }
  json.end();
  if (seen.pairing != e2m::Pairing::none) json.member("pairing", to_string(seen.pairing));
  json.key("body");
  add_part(json, seen.root);
  json.end();
  return std::move(json).finish() + "\n";
}

} // namespace midcom
