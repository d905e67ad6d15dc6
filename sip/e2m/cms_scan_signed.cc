// SPDX-License-Identifier: GPL-3.0-or-later
// SignedData of RFC 5652 5.
#include <algorithm>
#include <array>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/cms_scanner.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::size_t most_digest_algorithms = 3;
constexpr std::size_t most_signature_octets = 1024;
constexpr std::size_t most_key_identifier_octets = 64;

struct SignatureAlgorithm {
  std::string_view identifier;
  Hash hash;
  bool may_have_null; // RFC 4055 wants NULL, many leave it out
};

constexpr std::array<SignatureAlgorithm, 6> algorithms{{
    {oid::ecdsa_sha256, Hash::sha256, false},
    {oid::ecdsa_sha384, Hash::sha384, false},
    {oid::ecdsa_sha512, Hash::sha512, false},
    {oid::sha256_with_rsa, Hash::sha256, true},
    {oid::sha384_with_rsa, Hash::sha384, true},
    {oid::sha512_with_rsa, Hash::sha512, true},
}};

std::size_t octets_of(Hash hash) {
  switch (hash) {
  case Hash::sha256:
    return 32;
  case Hash::sha384:
    return 48;
  case Hash::sha512:
    return 64;
  }
  return 0;
}

void scan_signature_algorithm(const AlgorithmIdentifier& algorithm, Hash hash, ScanCursor& at) {
  const std::string null = write_der(der_null, {});
  if (algorithm.algorithm == oid::rsa_pss)
    return scan_pss_parameters(algorithm.parameters, hash, at);
  if (algorithm.algorithm == oid::rsa_encryption)
    return at.require(algorithm.parameters.empty() || algorithm.parameters == null,
                      Error::bad_parameters);
  for (const SignatureAlgorithm& known : algorithms) {
    if (known.identifier != algorithm.algorithm) continue;
    const bool is_null = known.may_have_null && algorithm.parameters == null;
    return at.require(known.hash == hash && (algorithm.parameters.empty() || is_null),
                      Error::bad_parameters);
  }
  at.require(false, Error::unsupported_algorithm);
}

// YYMMDDhhmmssZ or YYYYMMDDhhmmssZ.
void check_time(std::string_view value, ScanFault& fault) {
  ScanCursor at(value, fault);
  const DerElement time = at.next();
  const bool is_utc = time.tag == der_utc_time && time.content.size() == 13;
  const bool is_generalized = time.tag == der_generalized_time && time.content.size() == 15;
  at.require((is_utc || is_generalized) && time.content.back() == 'Z' &&
                 std::all_of(time.content.begin(), time.content.end() - 1,
                             [](char c) { return c >= '0' && c <= '9'; }),
             Error::malformed);
}

// RFC 5652 5.3: with signed attributes, contentType and messageDigest are among them.
void check_signed_attributes(const std::vector<Attribute>& attributes, Hash hash,
                             ScanFault& fault) {
  bool has_type = false;
  bool has_digest = false;
  for (const Attribute& attribute : attributes) {
    ScanCursor value(attribute.value, fault);
    if (attribute.type == oid::content_type) {
      has_type = true;
      value.require(value.take(der_oid) == oid::data, Error::unsupported_type);
    } else if (attribute.type == oid::message_digest) {
      has_digest = true;
      (void)value.take_octets(octets_of(hash), octets_of(hash), Error::malformed);
    } else if (attribute.type == oid::signing_time) {
      check_time(attribute.value, fault);
    }
  }
  if (!fault && !(has_type && has_digest)) fault = Error::malformed;
}

void scan_signer(ScanCursor fields, const CmsLimits& limits) {
  const std::uint32_t version = fields.take_number(3, Error::unsupported_version);
  if (fields.stands_at(der_context(0))) {
    fields.require(version == 3, Error::unsupported_version);
    const std::string_view identifier = fields.take(der_context(0));
    fields.require(!identifier.empty() && identifier.size() <= most_key_identifier_octets,
                   Error::malformed);
  } else {
    fields.require(version == 1, Error::unsupported_version);
    (void)fields.take_issuer_and_serial();
  }
  const Hash hash = scan_hash(fields);
  if (fields.stands_at(der_constructed(0)))
    check_signed_attributes(scan_attributes(fields.enter(der_constructed(0)), limits), hash,
                            fields.fault());
  scan_signature_algorithm(fields.take_algorithm(), hash, fields);
  (void)fields.take_octets(1, most_signature_octets, Error::malformed);
  if (fields.stands_at(der_constructed(1)))
    (void)scan_attributes(fields.enter(der_constructed(1)), limits);
  fields.end();
}

void scan_digest_algorithms(ScanCursor members) {
  for (std::size_t count = 0; !members.at_end(); ++count) {
    members.require(count < most_digest_algorithms, Error::too_many);
    (void)scan_hash(members);
  }
}

void scan_content(ScanCursor content, CmsScan& scan) {
  content.require(content.take(der_oid) == oid::data, Error::unsupported_type);
  scan.is_detached = content.at_end();
  if (scan.is_detached) return;
  ScanCursor octets = content.enter(der_constructed(0));
  scan.content = octets.take(der_octet_string);
  octets.end();
  content.end();
}

// X.509 certificates alone: attribute certificates and other formats have tags of their own.
void scan_certificates(ScanCursor members, const CmsLimits& limits, CmsScan& scan) {
  while (!members.at_end()) {
    members.require(scan.certificates.size() < limits.certificates, Error::too_many);
    members.require(members.stands_at(der_sequence), Error::unsupported_type);
    scan.certificates.push_back(members.next().whole);
  }
}

} // namespace

void scan_signed_data(ScanCursor fields, const CmsLimits& limits, CmsScan& scan) {
  scan.kind = CmsKind::signed_data;
  const std::uint32_t version = fields.take_number(3, Error::unsupported_version);
  fields.require(version == 1 || version == 3, Error::unsupported_version);
  scan_digest_algorithms(fields.enter(der_set));
  scan_content(fields.enter(der_sequence), scan);
  if (fields.stands_at(der_constructed(0)))
    scan_certificates(fields.enter(der_constructed(0)), limits, scan);
  // Revocation is known from the operator's files, not from what a signer sends along.
  fields.require(!fields.stands_at(der_constructed(1)), Error::unsupported_type);
  ScanCursor signers = fields.enter(der_set);
  fields.end();
  while (!signers.at_end()) {
    signers.require(scan.signers < limits.signers, Error::too_many);
    scan_signer(signers.enter(der_sequence), limits);
    ++scan.signers;
  }
}

} // namespace midcom::sip::e2m
