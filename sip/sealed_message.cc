// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sealed_message.h"

#include <algorithm>
#include <utility>

#include "sip/edit_list.h"
#include "sip/header_name.h"
#include "sip/sip_date.h"

namespace midcom::sip {
namespace {

constexpr std::string_view label_name = "Proxy-Inspect-Body";

bool is_content_field(const HeaderField& field) {
  constexpr std::string_view prefix = "Content-";
  switch (field.id) {
  case HeaderName::content_disposition:
  case HeaderName::content_encoding:
  case HeaderName::content_id:
  case HeaderName::content_length:
  case HeaderName::content_transfer_encoding:
  case HeaderName::content_type:
    return true;
  default:
    return iequals(field.name.substr(0, prefix.size()), prefix);
  }
}

std::string value_of(const Message& message, HeaderName name) {
  const HeaderField* field = message.first(name);
  return field == nullptr ? std::string() : std::string(field->value);
}

std::string without_brackets(std::string id) {
  if (id.starts_with('<') && id.ends_with('>')) return id.substr(1, id.size() - 2);
  return id;
}

// RFC 2045 2.7: what a part without Content-Transfer-Encoding may hold.
bool is_7bit(std::string_view body) {
  return std::ranges::all_of(body, [](unsigned char c) { return c != 0 && c < 0x80; });
}

Result<void> take_contact(const Message& message, Aib& aib) {
  const auto contacts = message.values(HeaderName::contact);
  if (contacts.empty()) return {};
  if (contacts.size() != 1) return std::unexpected(Error::unsupported);
  const auto contact = NameAddr::parse(contacts.front());
  if (!contact) return std::unexpected(contact.error());
  if (contact->is_star) return std::unexpected(Error::unsupported);
  aib.contact = std::string(contact->uri.text);
  return {};
}

Result<std::string> label_line(const InspectBody& label) {
  const auto value = write_inspect_body(label);
  if (!value) return std::unexpected(value.error());
  return std::string(label_name) + ": " + *value + "\r\n";
}

} // namespace

Result<MimeEntity> body_entity(const Message& message) {
  if (message.body().empty()) return std::unexpected(Error::missing_header);
  MimeEntity entity{.content_type = value_of(message, HeaderName::content_type),
                    .content_id = without_brackets(value_of(message, HeaderName::content_id)),
                    .disposition = value_of(message, HeaderName::content_disposition),
                    .encoding = value_of(message, HeaderName::content_transfer_encoding),
                    .body = std::string(message.body())};
  if (entity.content_type.empty()) return std::unexpected(Error::missing_header);
  if (message.first(HeaderName::content_encoding) != nullptr)
    return std::unexpected(Error::unsupported);
  for (const HeaderField& field : message.fields())
    if (field.id == HeaderName::other && is_content_field(field)) entity.other_lines += field.line;
  if (entity.encoding.empty() && !is_7bit(entity.body)) entity.encoding = "binary";
  return entity;
}

Result<std::int64_t> date_of(const Message& message, std::int64_t now) {
  const HeaderField* field = message.first(HeaderName::date);
  return field == nullptr ? now : parse_sip_date(field->value);
}

Result<Aib> identity_of(const Message& message, std::int64_t date,
                        std::span<const InspectBody> labels) {
  const bool is_request = message.is_request();
  const NameAddr& author = is_request ? message.from() : message.to();
  Aib aib;
  aib.from = author.uri.text;
  aib.from_tag = author.tag();
  if (is_request) {
    aib.to = std::string(message.to().uri.text);
    aib.to_tag = message.to().tag();
  }
  aib.call_id = message.call_id();
  aib.cseq = AibCSeq{message.cseq().number, std::string(message.cseq().method)};
  aib.date = date;
  if (const auto taken = take_contact(message, aib); !taken) return std::unexpected(taken.error());
  for (const InspectBody& label : labels) {
    auto value = write_inspect_body(label);
    if (!value) return std::unexpected(value.error());
    aib.others.push_back({std::string(label_name), *std::move(value)});
  }
  return aib;
}

Result<MimeEntity> identity_entity(const Aib& aib) {
  auto text = write_aib(aib);
  if (!text) return std::unexpected(text.error());
  return MimeEntity{.content_type = "message/sipfrag",
                    .disposition = "aib; handling=optional",
                    .encoding = is_7bit(*text) ? "" : "8bit",
                    .body = *std::move(text)};
}

MimeEntity cms_entity(std::string type, std::string der) {
  return {.content_type = std::move(type),
          .disposition = "attachment; handling=required; filename=smime.p7m",
          .encoding = "binary",
          .body = std::move(der)};
}

Result<std::string> with_body(const Message& message, const MimeEntity& entity,
                              std::span<const InspectBody> labels, std::int64_t date) {
  EditList edits(message);
  for (const HeaderField& field : message.fields())
    if (is_content_field(field)) edits.erase(field.line);
  if (message.first(HeaderName::date) == nullptr) {
    const auto text = write_sip_date(date);
    if (!text) return std::unexpected(text.error());
    edits.append_field("Date: " + *text + "\r\n");
  }
  for (const InspectBody& label : labels) {
    auto line = label_line(label);
    if (!line) return std::unexpected(line.error());
    edits.append_field(*std::move(line));
  }
  edits.append_field(write_content_fields(entity) +
                     "Content-Length: " + std::to_string(entity.body.size()) + "\r\n");
  auto bytes = edits.apply();
  if (!bytes) return bytes;
  bytes->resize(bytes->size() - message.body().size());
  return *bytes + entity.body;
}

} // namespace midcom::sip
