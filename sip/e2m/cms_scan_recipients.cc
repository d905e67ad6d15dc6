// SPDX-License-Identifier: GPL-3.0-or-later
// RecipientInfos of RFC 5652 6.2.
#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/cms_scanner.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {
namespace {

using Kind = RecipientScan::Kind;
using NamedBy = RecipientScan::NamedBy;

constexpr std::size_t least_rsa_octets = 256;
constexpr std::size_t most_rsa_octets = 1024;
constexpr std::size_t p256_point_octets = 65;
constexpr std::size_t p384_point_octets = 97;
constexpr std::size_t most_key_identifier_octets = 64;
constexpr std::size_t most_user_keying_octets = 64;

void append(const RecipientScan& recipient, ScanCursor& at, const CmsLimits& limits,
            CmsScan& scan) {
  at.require(scan.recipients.size() < limits.recipients, Error::too_many);
  if (!at.fault()) scan.recipients.push_back(recipient);
}

std::string_view check_key_identifier(std::string_view identifier, ScanCursor& at) {
  at.require(!identifier.empty() && identifier.size() <= most_key_identifier_octets,
             Error::malformed);
  return identifier;
}

void scan_key_trans(ScanCursor fields, const CmsLimits& limits, CmsScan& scan) {
  RecipientScan recipient;
  recipient.kind = Kind::key_trans;
  const std::uint32_t version = fields.take_number(2, Error::unsupported_version);
  if (fields.stands_at(der_context(0))) {
    fields.require(version == 2, Error::unsupported_version);
    recipient.named_by = NamedBy::key_identifier;
    recipient.identifier = check_key_identifier(fields.take(der_context(0)), fields);
  } else {
    fields.require(version == 0, Error::unsupported_version);
    recipient.identifier = fields.take_issuer_and_serial();
  }
  const AlgorithmIdentifier algorithm = fields.take_algorithm();
  fields.require(algorithm.algorithm == oid::rsa_oaep, Error::unsupported_algorithm);
  scan_oaep_parameters(algorithm.parameters, fields);
  recipient.encrypted_key =
      fields.take_octets(least_rsa_octets, most_rsa_octets, Error::bad_parameters);
  fields.end();
  append(recipient, fields, limits, scan);
}

// RFC 5753 7.1.2: id-ecPublicKey, whose parameters may be absent, NULL, or the curve's name.
std::string_view scan_originator_key(ScanCursor key) {
  const AlgorithmIdentifier algorithm = key.take_algorithm();
  key.require(algorithm.algorithm == oid::ec_public_key, Error::unsupported_algorithm);
  const std::string_view bits = key.take(der_bit_string);
  key.end();
  const std::size_t size = bits.empty() ? 0 : bits.size() - 1;
  key.require((size == p256_point_octets || size == p384_point_octets) && bits[0] == '\0' &&
                  bits[1] == '\x04',
              Error::bad_parameters);
  if (key.fault()) return {};
  const std::string_view curve = size == p256_point_octets ? oid::p256 : oid::p384;
  key.require(algorithm.parameters.empty() || algorithm.parameters == write_der(der_null, {}) ||
                  algorithm.parameters == write_der(der_oid, {curve}),
              Error::bad_parameters);
  return bits.substr(1);
}

void scan_key_agreement(const AlgorithmIdentifier& algorithm, ScanCursor& at,
                        RecipientScan& recipient) {
  at.require(algorithm.algorithm == oid::ecdh_sha256_kdf ||
                 algorithm.algorithm == oid::ecdh_sha384_kdf,
             Error::unsupported_algorithm);
  recipient.kdf = algorithm.algorithm == oid::ecdh_sha384_kdf ? Hash::sha384 : Hash::sha256;
  at.require(!algorithm.parameters.empty(), Error::bad_parameters);
  ScanCursor parameters(algorithm.parameters, at.fault());
  recipient.wrap = scan_key_wrap(parameters.take_algorithm(), parameters);
}

void scan_agreed_key(ScanCursor fields, RecipientScan& recipient) {
  if (fields.stands_at(der_constructed(0))) {
    ScanCursor identifier = fields.enter(der_constructed(0));
    recipient.named_by = NamedBy::key_identifier;
    recipient.identifier = check_key_identifier(identifier.take(der_octet_string), identifier);
    identifier.end();
  } else {
    recipient.named_by = NamedBy::issuer_and_serial;
    recipient.identifier = fields.take_issuer_and_serial();
  }
  recipient.encrypted_key = fields.take_octets(24, 40, Error::bad_parameters);
  fields.end();
}

void scan_key_agree(ScanCursor fields, const CmsLimits& limits, CmsScan& scan) {
  RecipientScan recipient;
  recipient.kind = Kind::key_agree;
  fields.require(fields.take_number(3, Error::unsupported_version) == 3,
                 Error::unsupported_version);
  ScanCursor originator = fields.enter(der_constructed(0));
  originator.require(originator.stands_at(der_constructed(1)), Error::unsupported_recipient);
  recipient.originator_point = scan_originator_key(originator.enter(der_constructed(1)));
  originator.end();
  if (fields.stands_at(der_constructed(1))) {
    ScanCursor material = fields.enter(der_constructed(1));
    recipient.user_keying_material =
        material.take_octets(0, most_user_keying_octets, Error::bad_parameters);
    material.end();
  }
  scan_key_agreement(fields.take_algorithm(), fields, recipient);
  ScanCursor keys = fields.enter(der_sequence);
  fields.end();
  keys.require(!keys.at_end(), Error::malformed);
  while (!keys.at_end()) {
    scan_agreed_key(keys.enter(der_sequence), recipient);
    append(recipient, keys, limits, scan);
  }
}

void scan_kek(ScanCursor fields, const CmsLimits& limits, CmsScan& scan) {
  RecipientScan recipient;
  recipient.kind = Kind::kek;
  recipient.named_by = NamedBy::kek_reference;
  fields.require(fields.take_number(4, Error::unsupported_version) == 4,
                 Error::unsupported_version);
  ScanCursor identifier = fields.enter(der_sequence);
  recipient.identifier = identifier.take_octets(1, most_reference_octets, Error::malformed);
  identifier.end();
  recipient.wrap = scan_key_wrap(fields.take_algorithm(), fields);
  recipient.encrypted_key = fields.take_octets(24, 40, Error::bad_parameters);
  fields.end();
  append(recipient, fields, limits, scan);
}

} // namespace

void scan_recipients(ScanCursor members, const CmsLimits& limits, CmsScan& scan) {
  members.require(!members.at_end(), Error::malformed);
  while (!members.at_end()) {
    members.require(scan.recipients.size() < limits.recipients, Error::too_many);
    if (members.stands_at(der_sequence))
      scan_key_trans(members.enter(der_sequence), limits, scan);
    else if (members.stands_at(der_constructed(1)))
      scan_key_agree(members.enter(der_constructed(1)), limits, scan);
    else if (members.stands_at(der_constructed(2)))
      scan_kek(members.enter(der_constructed(2)), limits, scan);
    else
      members.require(false, Error::unsupported_recipient);
  }
}

} // namespace midcom::sip::e2m
