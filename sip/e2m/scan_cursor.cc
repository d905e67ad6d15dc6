// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/scan_cursor.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::size_t most_serial_octets = 21; // RFC 5280 4.1.2.2: 20, and one for the sign

} // namespace

void ScanCursor::require(bool holds, Error otherwise) {
  if (!*fault_ && !holds) *fault_ = otherwise;
}

DerElement ScanCursor::next() {
  if (*fault_) return {};
  const auto element = reader_.next();
  if (!element) {
    *fault_ = element.error();
    return {};
  }
  return *element;
}

std::string_view ScanCursor::take(DerTag tag) {
  require(stands_at(tag), reader_.at_end() ? Error::truncated : Error::malformed);
  return next().content;
}

ScanCursor ScanCursor::enter(DerTag tag) {
  return {take(tag), *fault_};
}

std::uint32_t ScanCursor::take_number(std::uint32_t maximum, Error otherwise) {
  if (*fault_) return 0;
  const auto number = reader_.take_number(maximum);
  require(number.has_value(), otherwise);
  return number.value_or(0);
}

AlgorithmIdentifier ScanCursor::take_algorithm() {
  require(stands_at(der_sequence), Error::malformed);
  const DerElement element = next();
  ScanCursor fields(element.content, *fault_);
  AlgorithmIdentifier identifier;
  identifier.whole = element.whole;
  identifier.algorithm = fields.take(der_oid);
  if (!fields.at_end()) identifier.parameters = fields.next().whole;
  fields.end();
  return *fault_ ? AlgorithmIdentifier{} : identifier;
}

std::string_view ScanCursor::take_octets(std::size_t least, std::size_t most, Error otherwise) {
  const std::string_view octets = take(der_octet_string);
  require(octets.size() >= least && octets.size() <= most, otherwise);
  return *fault_ ? std::string_view{} : octets;
}

std::string_view ScanCursor::take_issuer_and_serial() {
  require(stands_at(der_sequence), Error::malformed);
  const DerElement element = next();
  ScanCursor fields(element.content, *fault_);
  (void)fields.take(der_sequence);
  const std::string_view serial = fields.take(der_integer);
  fields.require(!serial.empty() && serial.size() <= most_serial_octets, Error::malformed);
  fields.end();
  return *fault_ ? std::string_view{} : element.whole;
}

void ScanCursor::end() {
  require(reader_.at_end(), Error::malformed);
}

} // namespace midcom::sip::e2m
