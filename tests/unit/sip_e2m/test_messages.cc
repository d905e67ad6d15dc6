// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sip_e2m/test_messages.h"

namespace midcom::sip::e2m {

using std::string_view_literals::operator""sv;

std::string write_algorithm(std::string_view algorithm, std::string_view parameters) {
  return write_der(der_sequence, {write_der(der_oid, {algorithm}), parameters});
}

std::string write_attribute(std::string_view type, std::string_view values) {
  return write_der(der_sequence, {write_der(der_oid, {type}), write_der(der_set, {values})});
}

std::string write_content_info(std::string_view type, std::string_view content) {
  return write_der(der_sequence,
                   {write_der(der_oid, {type}), write_der(der_constructed(0), {content})});
}

std::string write_oaep(std::string_view digest, std::string_view mask_digest,
                       std::string_view label, std::string_view digest_parameters) {
  const std::string own = write_algorithm(digest, digest_parameters);
  const std::string mask =
      write_algorithm(oid::mgf1, write_algorithm(mask_digest, digest_parameters));
  return write_algorithm(oid::rsa_oaep,
                         write_der(der_sequence, {write_der(der_constructed(0), {own}),
                                                  write_der(der_constructed(1), {mask}), label}));
}

std::string write_pss(std::string_view digest, std::uint32_t salt) {
  const std::string own = write_algorithm(digest, "");
  const std::string mask = write_algorithm(oid::mgf1, own);
  return write_algorithm(
      oid::rsa_pss,
      write_der(der_sequence,
                {write_der(der_constructed(0), {own}), write_der(der_constructed(1), {mask}),
                 write_der(der_constructed(2), {write_der_number(salt)})}));
}

std::string write_point(std::size_t octets) {
  std::string point(octets, 'p');
  if (!point.empty()) point.front() = '\x04';
  return write_der(der_bit_string, {"\0"sv, point});
}

std::string issuer_and_serial() {
  return write_der(der_sequence, {write_der(der_sequence, {}), write_der_number(7)});
}

std::string write_enveloped_data(std::string_view cipher) {
  const std::string content = write_der(
      der_sequence, {write_der(der_oid, {oid::data}),
                     write_algorithm(cipher, write_der(der_octet_string, {std::string(16, 'i')})),
                     write_der(der_context(0), {std::string(32, 'c')})});
  return write_content_info(
      oid::enveloped_data,
      write_der(der_sequence,
                {write_der_number(0), write_der(der_set, {write_der(der_null, {})}), content}));
}

std::string write_key_trans(const KeyTransParts& parts) {
  return write_der(der_sequence, {write_der_number(parts.version), parts.identifier,
                                  parts.algorithm, write_der(der_octet_string, {parts.encrypted})});
}

std::string write_key_agree(const KeyAgreeParts& parts) {
  const std::string key =
      write_der(der_sequence, {issuer_and_serial(), write_der(der_octet_string, {parts.wrapped})});
  std::string keys;
  for (std::size_t i = 0; i < parts.keys; ++i) keys += key;
  return write_der(der_constructed(1),
                   {write_der_number(parts.version),
                    write_der(der_constructed(0), {parts.originator}), parts.material,
                    parts.algorithm, write_der(der_sequence, {keys})});
}

std::string write_kek(const KekParts& parts) {
  return write_der(der_constructed(2),
                   {write_der_number(parts.version),
                    write_der(der_sequence, {write_der(der_octet_string, {parts.identifier})}),
                    parts.algorithm, write_der(der_octet_string, {parts.wrapped})});
}

std::string write(const EnvelopedParts& parts) {
  const std::string parameters =
      write_der(der_sequence, {write_der(der_octet_string, {parts.nonce}), parts.tag_length});
  const std::string content =
      write_der(der_sequence, {write_der(der_oid, {parts.content_type}),
                               write_algorithm(parts.cipher, parameters), parts.encrypted});
  return write_content_info(
      oid::auth_enveloped_data,
      write_der(der_sequence, {parts.version, write_der(der_set, {parts.recipients}), content,
                               write_der(der_octet_string, {parts.mac}), parts.attributes}));
}

std::string signed_attributes() {
  return write_der(
      der_constructed(0),
      {write_attribute(oid::content_type, write_der(der_oid, {oid::data})),
       write_attribute(oid::signing_time, write_der(der_utc_time, {"261125175945Z"})),
       write_attribute(oid::message_digest, write_der(der_octet_string, {std::string(32, 'd')}))});
}

std::string write(const SignerParts& parts) {
  return write_der(der_sequence, {write_der_number(parts.version), parts.identifier, parts.digest,
                                  parts.attributes, parts.algorithm,
                                  write_der(der_octet_string, {parts.signature})});
}

std::string write(const SignedParts& parts) {
  const std::string content =
      write_der(der_sequence, {write_der(der_oid, {parts.content_type}), parts.content});
  return write_content_info(
      oid::signed_data,
      write_der(der_sequence, {write_der_number(parts.version), write_der(der_set, {parts.digests}),
                               content, parts.certificates, write_der(der_set, {parts.signers})}));
}

} // namespace midcom::sip::e2m
