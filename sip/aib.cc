// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/aib.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "sip/cursor.h"
#include "sip/message_parser.h"
#include "sip/sip_date.h"

namespace midcom::sip {
namespace {

using ReadField = Result<void> (*)(std::string_view value, Aib& aib);

Result<NameAddr> read_address(std::string_view value) {
  auto address = NameAddr::parse(value);
  if (address && address->is_star) return std::unexpected(Error::syntax);
  return address;
}

Result<void> read_from(std::string_view value, Aib& aib) {
  const auto address = read_address(value);
  if (!address) return std::unexpected(address.error());
  aib.from = address->uri.text;
  aib.from_tag = address->tag();
  return {};
}

Result<void> read_to(std::string_view value, Aib& aib) {
  const auto address = read_address(value);
  if (!address) return std::unexpected(address.error());
  aib.to = address->uri.text;
  aib.to_tag = address->tag();
  return {};
}

Result<void> read_contact(std::string_view value, Aib& aib) {
  if (aib.contact) return std::unexpected(Error::duplicate_header);
  const auto address = read_address(value);
  if (!address) return std::unexpected(address.error());
  aib.contact = address->uri.text;
  return {};
}

Result<void> read_call_id(std::string_view value, Aib& aib) {
  if (!is_call_id(value)) return std::unexpected(Error::syntax);
  aib.call_id = value;
  return {};
}

Result<void> read_cseq(std::string_view value, Aib& aib) {
  const auto cseq = parse_cseq(value);
  if (!cseq) return std::unexpected(cseq.error());
  aib.cseq = AibCSeq{cseq->number, std::string(cseq->method)};
  return {};
}

Result<void> read_date(std::string_view value, Aib& aib) {
  const auto date = parse_sip_date(value);
  if (!date) return std::unexpected(date.error());
  aib.date = *date;
  return {};
}

struct Row {
  HeaderName name;
  ReadField read;
};
constexpr std::array<Row, 6> rows{{{HeaderName::from, read_from},
                                   {HeaderName::to, read_to},
                                   {HeaderName::contact, read_contact},
                                   {HeaderName::date, read_date},
                                   {HeaderName::call_id, read_call_id},
                                   {HeaderName::cseq, read_cseq}}};

Result<void> read_field(const HeaderField& field, Aib& aib) {
  for (const Row& row : rows)
    if (row.name == field.id) return row.read(field.value, aib);
  aib.others.push_back({std::string(field.name), std::string(field.value)});
  return {};
}

bool has(const std::vector<HeaderField>& fields, HeaderName name) {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.id == name; });
}

// addr-spec in brackets, with a tag when there is one.
std::string bracketed(std::string_view name, std::string_view uri, std::string_view tag) {
  std::string line(name);
  line += ": <";
  line += uri;
  line += '>';
  if (!tag.empty()) {
    line += ";tag=";
    line += tag;
  }
  return line + "\r\n";
}

bool is_tag_of(std::string_view aib_tag, std::string_view message_tag) {
  return aib_tag.empty() || aib_tag == message_tag;
}

AibFault check_contact(const Aib& aib, const Message& message) {
  const auto contacts = message.values(HeaderName::contact);
  if (contacts.empty()) return aib.contact ? AibFault::contact : AibFault::none;
  if (!aib.contact) return AibFault::missing_field;
  const auto ours = Uri::parse(*aib.contact);
  const auto theirs = NameAddr::parse(contacts.front());
  const bool is_same =
      contacts.size() == 1 && ours && theirs && !theirs->is_star && ours->equivalent(theirs->uri);
  return is_same ? AibFault::none : AibFault::contact;
}

AibFault check_date(const Aib& aib, const Message& message) {
  const HeaderField* field = message.first(HeaderName::date);
  if (field == nullptr) return AibFault::none;
  const auto date = parse_sip_date(field->value);
  return date && *date == aib.date ? AibFault::none : AibFault::date;
}

AibFault check_parties(const Aib& aib, const Message& message) {
  if (!is_same_address(aib.from, message.from().uri) ||
      !is_tag_of(aib.from_tag, message.from().tag()))
    return AibFault::from;
  if (!aib.to) return AibFault::missing_field;
  if (!is_same_address(*aib.to, message.to().uri) || !is_tag_of(aib.to_tag, message.to().tag()))
    return AibFault::to;
  return AibFault::none;
}

// The responder's tag is the one it put in the message's To.
AibFault check_responder(const Aib& aib, const Message& message) {
  if (aib.to) return AibFault::to;
  return is_tag_of(aib.from_tag, message.to().tag()) ? AibFault::none : AibFault::from;
}

} // namespace

Result<Aib> parse_aib(std::string_view sipfrag) {
  const MessageLimits limits;
  if (sipfrag.size() > limits.headers) return std::unexpected(Error::too_long);
  // With an empty line of ours behind it, whether it has its own or not.
  const std::string text = std::string(sipfrag) + "\r\n";
  const auto block = read_field_block(text, limits);
  if (!block) return std::unexpected(block.error());
  if (block->size < sipfrag.size()) return std::unexpected(Error::unsupported);
  for (const HeaderName name : {HeaderName::from, HeaderName::call_id, HeaderName::date})
    if (!has(block->fields, name)) return std::unexpected(Error::missing_header);
  Aib aib;
  for (const HeaderField& field : block->fields)
    if (const auto read = read_field(field, aib); !read) return std::unexpected(read.error());
  return aib;
}

Result<std::string> write_aib(const Aib& aib) {
  const auto date = write_sip_date(aib.date);
  if (!date) return std::unexpected(date.error());
  std::string text = bracketed("From", aib.from, aib.from_tag);
  if (aib.to) text += bracketed("To", *aib.to, aib.to_tag);
  if (aib.contact) text += bracketed("Contact", *aib.contact, {});
  text += "Date: " + *date + "\r\nCall-ID: " + aib.call_id + "\r\n";
  if (aib.cseq)
    text += "CSeq: " + std::to_string(aib.cseq->number) + ' ' + aib.cseq->method + "\r\n";
  for (const auto& [name, value] : aib.others) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
  const auto read = parse_aib(text);
  if (!read) return std::unexpected(read.error());
  if (*read != aib) return std::unexpected(Error::syntax);
  return text;
}

std::string_view to_string(AibFault fault) {
  static constexpr std::array<std::string_view, 8> words{
      "", "missing-field", "from", "to", "call-id", "cseq", "date", "contact"};
  const auto index = static_cast<std::size_t>(fault);
  return index < words.size() ? words[index] : std::string_view("unknown");
}

AibFault check_aib(const Aib& aib, const Message& message) {
  if (!aib.cseq) return AibFault::missing_field;
  const AibFault parties =
      message.is_request() ? check_parties(aib, message) : check_responder(aib, message);
  if (parties != AibFault::none) return parties;
  if (aib.call_id != message.call_id()) return AibFault::call_id;
  if (aib.cseq->number != message.cseq().number || aib.cseq->method != message.cseq().method)
    return AibFault::cseq;
  if (const AibFault date = check_date(aib, message); date != AibFault::none) return date;
  return check_contact(aib, message);
}

bool is_same_address(std::string_view uri, const Uri& other) {
  const auto parsed = Uri::parse(uri);
  return parsed && parsed->scheme == other.scheme &&
         parsed->address_of_record() == other.address_of_record();
}

} // namespace midcom::sip
