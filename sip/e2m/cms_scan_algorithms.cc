// SPDX-License-Identifier: GPL-3.0-or-later
// Algorithm identifiers and their parameters.
#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/cms_scanner.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto null_parameters = "\x05\x00"sv;
// Some take as much salt as the modulus has room for.
constexpr std::uint32_t most_salt_octets = 1024;
// [2] { pSpecified, empty OCTET STRING }: the default of RFC 4055 4.1 written out, as it allows.
constexpr auto empty_label =
    "\xa2\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09\x04\x00"sv;

// MGF1 with the hash as its parameters.
void scan_mask(ScanCursor mask, Hash hash) {
  const AlgorithmIdentifier function = mask.take_algorithm();
  mask.end();
  mask.require(function.algorithm == oid::mgf1, Error::unsupported_algorithm);
  ScanCursor parameters(function.parameters, mask.fault());
  parameters.require(scan_hash(parameters) == hash, Error::bad_parameters);
  parameters.end();
}

// What OAEP and PSS begin with: [0] hash, [1] mask generation.
void scan_hash_and_mask(ScanCursor& fields, Hash hash) {
  fields.require(fields.stands_at(der_constructed(0)), Error::bad_parameters);
  ScanCursor own = fields.enter(der_constructed(0));
  own.require(scan_hash(own) == hash, Error::bad_parameters);
  own.end();
  fields.require(fields.stands_at(der_constructed(1)), Error::bad_parameters);
  scan_mask(fields.enter(der_constructed(1)), hash);
}

} // namespace

Hash scan_hash(ScanCursor& at) {
  const AlgorithmIdentifier algorithm = at.take_algorithm();
  at.require(algorithm.parameters.empty() || algorithm.parameters == null_parameters,
             Error::bad_parameters);
  if (algorithm.algorithm == oid::sha256) return Hash::sha256;
  if (algorithm.algorithm == oid::sha384) return Hash::sha384;
  at.require(algorithm.algorithm == oid::sha512, Error::unsupported_algorithm);
  return Hash::sha512;
}

void scan_oaep_parameters(std::string_view parameters, ScanCursor& at) {
  at.require(!parameters.empty(), Error::bad_parameters);
  ScanCursor whole(parameters, at.fault());
  ScanCursor fields = whole.enter(der_sequence);
  scan_hash_and_mask(fields, Hash::sha256);
  if (!fields.at_end()) fields.require(fields.next().whole == empty_label, Error::bad_parameters);
  fields.end();
}

void scan_pss_parameters(std::string_view parameters, Hash hash, ScanCursor& at) {
  at.require(!parameters.empty(), Error::bad_parameters);
  ScanCursor whole(parameters, at.fault());
  ScanCursor fields = whole.enter(der_sequence);
  scan_hash_and_mask(fields, hash);
  ScanCursor salt = fields.enter(der_constructed(2));
  (void)salt.take_number(most_salt_octets, Error::bad_parameters);
  salt.end();
  fields.end();
}

AesSize scan_key_wrap(const AlgorithmIdentifier& algorithm, ScanCursor& at) {
  at.require(algorithm.algorithm == oid::aes128_wrap || algorithm.algorithm == oid::aes256_wrap,
             Error::unsupported_algorithm);
  at.require(algorithm.parameters.empty(), Error::bad_parameters);
  return algorithm.algorithm == oid::aes256_wrap ? AesSize::aes256 : AesSize::aes128;
}

} // namespace midcom::sip::e2m
