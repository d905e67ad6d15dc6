// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/cms_scan.h"

#include <algorithm>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/cms_scanner.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::uint32_t most_max_decrypts = 0x80000000U; // RFC 3185 3

// EnvelopedData is read just far enough to say what is wrong with it.
Error refuse_enveloped(ScanCursor fields, const ScanFault& fault) {
  (void)fields.take_number(4, Error::unsupported_version);
  if (fields.stands_at(der_constructed(0))) fields.next();
  (void)fields.take(der_set);
  ScanCursor content = fields.enter(der_sequence);
  (void)content.take(der_oid);
  const std::string_view cipher = content.take_algorithm().algorithm;
  if (fault) return *fault;
  const bool is_cbc =
      cipher == oid::aes128_cbc || cipher == oid::aes192_cbc || cipher == oid::aes256_cbc;
  return is_cbc ? Error::cbc : Error::unsupported_algorithm;
}

void scan_content_cipher(const AlgorithmIdentifier& algorithm, ScanCursor& at, ScanFault& fault,
                         CmsScan& scan) {
  at.require(algorithm.algorithm == oid::aes128_gcm || algorithm.algorithm == oid::aes256_gcm,
             Error::unsupported_algorithm);
  scan.cipher = algorithm.algorithm == oid::aes256_gcm ? AesSize::aes256 : AesSize::aes128;
  ScanCursor whole(algorithm.parameters, fault);
  whole.require(whole.stands_at(der_sequence), Error::bad_parameters);
  ScanCursor parameters = whole.enter(der_sequence);
  scan.nonce = parameters.take_octets(gcm_nonce_octets, gcm_nonce_octets, Error::bad_parameters);
  // RFC 5084 3.2: the length of the tag is 12 when it is left out.
  const std::uint32_t tag = parameters.take_number(gcm_tag_octets, Error::bad_parameters);
  parameters.require(tag == gcm_tag_octets, Error::bad_parameters);
  parameters.end();
}

// A key wrapped by RFC 3394 is 8 octets longer than the key. What RSA carries is seen only inside.
bool fits_cipher(const RecipientScan& recipient, AesSize cipher) {
  return recipient.kind == RecipientScan::Kind::key_trans ||
         recipient.encrypted_key.size() == key_octets(cipher) + 8;
}

void scan_reuse(const std::vector<Attribute>& attributes, ScanFault& fault, CmsScan& scan) {
  for (const Attribute& attribute : attributes) {
    ScanCursor value(attribute.value, fault);
    if (attribute.type == oid::cek_reference)
      scan.cek_reference = value.take_octets(1, most_reference_octets, Error::malformed);
    if (attribute.type == oid::cek_max_decrypts) {
      scan.cek_max_decrypts = value.take_number(most_max_decrypts, Error::malformed);
      value.require(*scan.cek_max_decrypts >= 1, Error::malformed);
    }
  }
  if (!scan.cek_reference) scan.cek_max_decrypts.reset();
}

} // namespace

void scan_auth_enveloped(ScanCursor fields, const CmsLimits& limits, CmsScan& scan) {
  scan.kind = CmsKind::auth_enveloped;
  fields.require(fields.take_number(0, Error::unsupported_version) == 0,
                 Error::unsupported_version);
  // Certificates and CRLs of the originator: this profile has no use for them.
  fields.require(!fields.stands_at(der_constructed(0)), Error::unsupported_recipient);
  scan_recipients(fields.enter(der_set), limits, scan);

  ScanCursor content = fields.enter(der_sequence);
  content.require(content.take(der_oid) == oid::data, Error::unsupported_type);
  scan_content_cipher(content.take_algorithm(), content, content.fault(), scan);
  scan.encrypted_content = content.take(der_context(0));
  content.end();

  if (fields.stands_at(der_constructed(1))) {
    const DerElement attributes = fields.next();
    (void)scan_attributes(ScanCursor(attributes.content, fields.fault()), limits);
    scan.authenticated_attributes = attributes.whole;
  }
  scan.mac = fields.take_octets(gcm_tag_octets, gcm_tag_octets, Error::bad_parameters);
  if (fields.stands_at(der_constructed(2)))
    scan_reuse(scan_attributes(fields.enter(der_constructed(2)), limits), fields.fault(), scan);
  fields.end();
  fields.require(std::all_of(scan.recipients.begin(), scan.recipients.end(),
                             [&](const auto& r) { return fits_cipher(r, scan.cipher); }),
                 Error::bad_parameters);
}

std::vector<Attribute> scan_attributes(ScanCursor members, const CmsLimits& limits) {
  std::vector<Attribute> attributes;
  members.require(!members.at_end(), Error::malformed);
  while (!members.at_end()) {
    members.require(attributes.size() < limits.attributes, Error::too_many);
    ScanCursor attribute = members.enter(der_sequence);
    Attribute read;
    read.type = attribute.take(der_oid);
    ScanCursor values = attribute.enter(der_set);
    attribute.end();
    read.value = values.next().whole;
    if (!values.at_end()) read.value = {};
    members.require(std::none_of(attributes.begin(), attributes.end(),
                                 [&](const Attribute& a) { return a.type == read.type; }),
                    Error::malformed);
    attributes.push_back(read);
  }
  return attributes;
}

Result<CmsScan> scan_cms(std::string_view der, const CmsLimits& limits) {
  if (der.size() > limits.octets) return std::unexpected(Error::too_large);
  if (const auto sound = check_well_formed(der, limits.depth); !sound)
    return std::unexpected(sound.error());
  ScanFault fault;
  CmsScan scan;
  ScanCursor whole(der, fault);
  ScanCursor info = whole.enter(der_sequence);
  const std::string_view type = info.take(der_oid);
  ScanCursor explicit_content = info.enter(der_constructed(0));
  ScanCursor content = explicit_content.enter(der_sequence);
  explicit_content.end();
  info.end();
  if (fault) return std::unexpected(*fault);
  if (type == oid::enveloped_data) return std::unexpected(refuse_enveloped(content, fault));
  if (type == oid::auth_enveloped_data)
    scan_auth_enveloped(content, limits, scan);
  else if (type == oid::signed_data)
    scan_signed_data(content, limits, scan);
  else
    fault = Error::unsupported_type;
  if (fault) return std::unexpected(*fault);
  return scan;
}

} // namespace midcom::sip::e2m
