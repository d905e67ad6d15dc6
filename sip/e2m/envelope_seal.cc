// SPDX-License-Identifier: GPL-3.0-or-later
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <utility>
#include <vector>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/envelope_cipher.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::uint32_t most_max_decrypts = 0x80000000U;

std::string write_algorithm(std::string_view algorithm, std::string_view parameters) {
  return write_der(der_sequence, {write_der(der_oid, {algorithm}), parameters});
}

// RFC 4055 4.1; the digest's parameters are left out as RFC 5754 2 says.
std::string oaep_algorithm() {
  const std::string digest = write_algorithm(oid::sha256, {});
  const std::string mask = write_algorithm(oid::mgf1, digest);
  return write_algorithm(oid::rsa_oaep,
                         write_der(der_sequence, {write_der(der_constructed(0), {digest}),
                                                  write_der(der_constructed(1), {mask})}));
}

Result<std::string> encrypt_oaep(EVP_PKEY* key, const Secret& cek) {
  const CleanErrorQueue clean;
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  std::string encrypted(size, '\0');
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(encrypted.data()), &size,
                       cek.octets().data(), cek.size()) != 1 ||
      size != encrypted.size())
    return std::unexpected(Error::library);
  return encrypted;
}

Result<std::string> write_key_trans(const Certificate& recipient, const Secret& cek) {
  const auto encrypted = encrypt_oaep(recipient.public_key(), cek);
  if (!encrypted) return encrypted;
  return write_der(der_sequence, {write_der_number(0), recipient.issuer_and_serial(),
                                  oaep_algorithm(), write_der(der_octet_string, {*encrypted})});
}

Result<std::string> uncompressed_point(EVP_PKEY* key) {
  const CleanErrorQueue clean;
  unsigned char* octets = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &octets);
  if (size == 0) return std::unexpected(Error::library);
  std::string point(reinterpret_cast<char*>(octets), size);
  OPENSSL_free(octets);
  if (point.front() != '\x04') return std::unexpected(Error::library);
  return point;
}

std::string write_originator(std::string_view point) {
  using std::string_view_literals::operator""sv;
  const std::string bits = write_der(der_bit_string, {"\0"sv, point});
  const std::string key =
      write_der(der_constructed(1), {write_algorithm(oid::ec_public_key, {}), bits});
  return write_der(der_constructed(0), {key});
}

Result<std::string> write_key_agree(const Certificate& recipient, KeyKind curve, AesSize wrap,
                                    const Secret& cek) {
  const auto ephemeral = PrivateKey::generate(curve);
  if (!ephemeral) return std::unexpected(ephemeral.error());
  const auto point = uncompressed_point(ephemeral->get());
  const auto shared = ephemeral->agree_with(recipient.public_key());
  if (!point || !shared) return std::unexpected(Error::library);
  // libcrypto's own default for CMS would be the KDF with SHA-1.
  const bool is_p384 = curve == KeyKind::p384;
  const auto kek =
      derive_wrap_key(*shared, is_p384 ? Hash::sha384 : Hash::sha256, wrap, std::nullopt);
  if (!kek) return std::unexpected(kek.error());
  const auto wrapped = wrap_key(*kek, cek);
  if (!wrapped) return wrapped;
  const std::string agreement =
      write_algorithm(is_p384 ? oid::ecdh_sha384_kdf : oid::ecdh_sha256_kdf, wrap_algorithm(wrap));
  const std::string key = write_der(
      der_sequence, {recipient.issuer_and_serial(), write_der(der_octet_string, {*wrapped})});
  return write_der(der_constructed(1), {write_der_number(3), write_originator(*point), agreement,
                                        write_der(der_sequence, {key})});
}

Result<std::string> write_kek(const Kek& kek, const Secret& cek) {
  const auto wrapped = wrap_key(kek.key, cek);
  if (!wrapped) return wrapped;
  const AesSize size =
      kek.key.size() == key_octets(AesSize::aes128) ? AesSize::aes128 : AesSize::aes256;
  const std::string identifier =
      write_der(der_sequence, {write_der(der_octet_string, {kek.reference})});
  return write_der(der_constructed(2), {write_der_number(4), identifier, wrap_algorithm(size),
                                        write_der(der_octet_string, {*wrapped})});
}

Result<std::string> write_recipients(const EnvelopeRequest& request, const Secret& cek) {
  std::vector<std::string> members;
  for (const Certificate& recipient : request.recipients) {
    const auto kind = recipient.key_kind();
    if (!kind) return std::unexpected(Error::weak_key);
    auto member = *kind == KeyKind::rsa ? write_key_trans(recipient, cek)
                                        : write_key_agree(recipient, *kind, request.cipher, cek);
    if (!member) return member;
    members.push_back(std::move(*member));
  }
  if (request.kek) {
    auto member = write_kek(*request.kek, cek);
    if (!member) return member;
    members.push_back(std::move(*member));
  }
  return write_der_set(der_set, std::move(members));
}

std::string write_attribute(std::string_view type, std::string_view value) {
  return write_der(der_sequence, {write_der(der_oid, {type}), write_der(der_set, {value})});
}

// unauthAttrs: where RFC 3185's unprotectedAttrs would stand in an AuthEnvelopedData.
std::string write_reuse(const EnvelopeRequest& request) {
  if (!request.cek_reference) return {};
  std::vector<std::string> members{
      write_attribute(oid::cek_reference, write_der(der_octet_string, {*request.cek_reference}))};
  if (request.max_decrypts)
    members.push_back(
        write_attribute(oid::cek_max_decrypts, write_der_number(*request.max_decrypts)));
  return write_der_set(der_constructed(2), std::move(members));
}

std::string write_content(AesSize cipher, std::string_view nonce, std::string_view encrypted) {
  const std::string parameters =
      write_der(der_sequence, {write_der(der_octet_string, {nonce}),
                               write_der_number(static_cast<std::uint32_t>(gcm_tag_octets))});
  const std::string algorithm =
      write_algorithm(cipher == AesSize::aes256 ? oid::aes256_gcm : oid::aes128_gcm, parameters);
  return write_der(der_sequence, {write_der(der_oid, {oid::data}), algorithm,
                                  write_der(der_context(0), {encrypted})});
}

bool is_reference(std::string_view reference) {
  return !reference.empty() && reference.size() <= most_reference_octets;
}

Result<void> check(const EnvelopeRequest& request, const CmsLimits& limits) {
  const std::size_t recipients = request.recipients.size() + (request.kek ? 1 : 0);
  if (recipients == 0) return std::unexpected(Error::bad_request);
  if (recipients > limits.recipients) return std::unexpected(Error::too_many);
  if (request.content.size() > limits.octets) return std::unexpected(Error::too_large);
  if (request.kek && !is_reference(request.kek->reference))
    return std::unexpected(Error::bad_request);
  if (request.cek_reference && !is_reference(*request.cek_reference))
    return std::unexpected(Error::bad_request);
  if (request.max_decrypts && (!request.cek_reference || *request.max_decrypts == 0 ||
                               *request.max_decrypts > most_max_decrypts))
    return std::unexpected(Error::bad_request);
  return {};
}

} // namespace

Result<Sealed> seal_envelope(const EnvelopeRequest& request) {
  const CmsLimits limits;
  if (const auto sound = check(request, limits); !sound) return std::unexpected(sound.error());
  auto cek = Secret::random(key_octets(request.cipher));
  std::string nonce(gcm_nonce_octets, '\0');
  if (!cek || RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()),
                         static_cast<int>(nonce.size())) != 1)
    return std::unexpected(Error::library);
  const auto recipients = write_recipients(request, *cek);
  if (!recipients) return std::unexpected(recipients.error());
  const auto sealed = encrypt_gcm(*cek, nonce, request.content);
  if (!sealed) return std::unexpected(sealed.error());
  const std::string enveloped =
      write_der(der_sequence, {write_der_number(0), *recipients,
                               write_content(request.cipher, nonce, sealed->encrypted),
                               write_der(der_octet_string, {sealed->tag}), write_reuse(request)});
  std::string der = write_der(der_sequence, {write_der(der_oid, {oid::auth_enveloped_data}),
                                             write_der(der_constructed(0), {enveloped})});
  if (der.size() > limits.octets) return std::unexpected(Error::too_large);
  return Sealed{std::move(der), std::move(*cek)};
}

} // namespace midcom::sip::e2m
