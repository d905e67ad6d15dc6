// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/signature.h"

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <utility>

#include "sip/e2m/cms_scan.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using Cms = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using Time = Owned<ASN1_TIME, ASN1_TIME_free>;

void free_all(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}
using Certificates = Owned<STACK_OF(X509), free_all>;

constexpr int most_rsa_exponent_bits = 64; // what a stranger's key may cost us
constexpr int alone = -3;                  // of libcrypto: one attribute, with one value

std::unexpected<Error> failure(Error error) {
  return std::unexpected(error);
}

std::string_view octets_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// --- signing ---

bool set_signing_time(CMS_SignerInfo* signer, std::int64_t time) {
  const Time value(ASN1_TIME_set(nullptr, time));
  return value && CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime,
                                              ASN1_STRING_type(value.get()), value.get(), -1) == 1;
}

bool set_padding(CMS_SignerInfo* signer, KeyKind kind) {
  if (kind != KeyKind::rsa) return true;
  EVP_PKEY_CTX* context = CMS_SignerInfo_get0_pkey_ctx(signer);
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool add_signer(CMS_ContentInfo* cms, const SignRequest& request) {
  const EVP_MD* digest = request.key.kind() == KeyKind::p384 ? EVP_sha384() : EVP_sha256();
  CMS_SignerInfo* signer =
      CMS_add1_signer(cms, request.signer.get(), request.key.get(), digest,
                      CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_KEY_PARAM);
  return signer != nullptr && set_signing_time(signer, request.time) &&
         set_padding(signer, request.key.kind());
}

bool add_chain(CMS_ContentInfo* cms, const SignRequest& request) {
  return std::ranges::all_of(request.chain, [&](const Certificate& certificate) {
    return certificate.fingerprint() == request.signer.fingerprint() ||
           CMS_add1_cert(cms, certificate.get()) == 1;
  });
}

Result<std::string> encoded(const CMS_ContentInfo* cms) {
  unsigned char* octets = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &octets);
  if (size <= 0) return failure(Error::library);
  std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

// --- verifying ---

Result<Cms> parse(std::string_view der) {
  const unsigned char* cursor = unsigned_octets(der);
  const unsigned char* const begin = cursor;
  Cms cms(d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der.size())));
  if (!cms || cursor - begin != static_cast<std::ptrdiff_t>(der.size()))
    return failure(Error::malformed);
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed ||
      OBJ_obj2nid(CMS_get0_eContentType(cms.get())) != NID_pkcs7_data)
    return failure(Error::unsupported_type);
  return cms;
}

Result<CMS_SignerInfo*> only_signer(CMS_ContentInfo* cms) {
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms);
  const int count = sk_CMS_SignerInfo_num(signers); // -1 for none at all
  if (count < 1) return failure(Error::no_signer);
  if (count > 1) return failure(Error::too_many);
  return sk_CMS_SignerInfo_value(signers, 0);
}

// RFC 5652 5.3: both attributes, each once with one value; the digest is compared by libcrypto.
Result<void> check_attributes(CMS_ContentInfo* cms, const CMS_SignerInfo* signer) {
  const auto* type = static_cast<const ASN1_OBJECT*>(CMS_signed_get0_data_by_OBJ(
      signer, OBJ_nid2obj(NID_pkcs9_contentType), alone, V_ASN1_OBJECT));
  const void* digest = CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(NID_pkcs9_messageDigest),
                                                   alone, V_ASN1_OCTET_STRING);
  if (type == nullptr || digest == nullptr || OBJ_cmp(type, CMS_get0_eContentType(cms)) != 0)
    return failure(Error::malformed);
  return {};
}

bool is_affordable(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) return true;
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
  const int bits = BN_num_bits(exponent);
  BN_free(exponent);
  return bits <= most_rsa_exponent_bits;
}

// libcrypto goes by the digest algorithm and looks at the signature's own for RSASSA-PSS alone.
Result<void> check_algorithms(KeyKind kind, const X509_ALGOR& digest, const X509_ALGOR& signature) {
  const int digest_nid = OBJ_obj2nid(digest.algorithm);
  if (digest_nid != NID_sha256 && digest_nid != NID_sha384 && digest_nid != NID_sha512)
    return failure(Error::unsupported_algorithm);
  const int nid = OBJ_obj2nid(signature.algorithm);
  const bool is_rsa = kind == KeyKind::rsa;
  if (nid == NID_rsassaPss || nid == NID_rsaEncryption) {
    if (!is_rsa) return failure(Error::unsupported_algorithm);
    return {};
  }
  int inner_digest = NID_undef, key = NID_undef;
  if (OBJ_find_sigid_algs(nid, &inner_digest, &key) != 1 || inner_digest != digest_nid ||
      key != (is_rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey))
    return failure(Error::unsupported_algorithm);
  return {};
}

struct Signer {
  Certificate certificate;
  std::vector<Certificate> others;
};

// RFC 5652 5.3: named by issuer and serial number, or by subject key identifier. Two certificates
// that answer to the same name are refused: the reader must not choose.
Result<Signer> find_signer(CMS_ContentInfo* cms, CMS_SignerInfo* info) {
  const Certificates all(CMS_get1_certs(cms));
  std::optional<Certificate> signer;
  std::vector<Certificate> others;
  for (int i = 0; all && i < sk_X509_num(all.get()); ++i) {
    X509* one = sk_X509_value(all.get(), i);
    X509_up_ref(one);
    auto certificate = Certificate::adopt(one);
    if (!certificate) return failure(certificate.error());
    if (CMS_SignerInfo_cert_cmp(info, one) != 0)
      others.push_back(*std::move(certificate));
    else if (!signer)
      signer = *std::move(certificate);
    else
      return failure(Error::too_many);
  }
  if (!signer) return failure(Error::no_signer);
  return Signer{.certificate = *std::move(signer), .others = std::move(others)};
}

Result<void> check_signer(CMS_SignerInfo* info, const Certificate& certificate) {
  const auto kind = certificate.key_kind();
  if (!kind) return failure(Error::weak_key);
  if (!is_affordable(certificate.public_key())) return failure(Error::unsupported_algorithm);
  X509_ALGOR *digest = nullptr, *signature = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest, &signature);
  if (digest == nullptr || signature == nullptr) return failure(Error::malformed);
  return check_algorithms(*kind, *digest, *signature);
}

Result<std::string_view> content_of(CMS_ContentInfo* cms,
                                    std::optional<std::string_view> detached) {
  ASN1_OCTET_STRING** inside = CMS_get0_content(cms);
  const bool is_inside = inside != nullptr && *inside != nullptr;
  if (is_inside == detached.has_value()) return failure(Error::malformed);
  return is_inside ? octets_of(*inside) : *detached;
}

Result<void> do_arithmetic(CMS_ContentInfo* cms, std::optional<std::string_view> detached) {
  BioHandle content;
  if (detached) {
    content = read_from(*detached);
    if (!content) return failure(Error::too_large);
  }
  if (CMS_verify(cms, nullptr, nullptr, content.get(), nullptr,
                 CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
    return failure(Error::bad_signature);
  return {};
}

Digest identity_of(const Certificate& signer, std::string_view content) {
  unsigned char* octets = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(signer.get()), &octets);
  std::string named(reinterpret_cast<char*>(octets), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(octets);
  const Digest digest = sha256(content);
  named.append(digest.begin(), digest.end());
  return sha256(named);
}

} // namespace

// Reads one SignedData; the only maker of SignedContent.
class SignatureReader {
public:
  static Result<SignedContent> read(std::string_view der,
                                    std::optional<std::string_view> detached) {
    const auto cms = parse(der);
    if (!cms) return failure(cms.error());
    const auto info = only_signer(cms->get());
    if (!info) return failure(info.error());
    const auto content = content_of(cms->get(), detached);
    if (!content) return failure(content.error());
    if (const auto checked = check_attributes(cms->get(), *info); !checked)
      return failure(checked.error());
    auto signer = find_signer(cms->get(), *info);
    if (!signer) return failure(signer.error());
    if (const auto checked = check_signer(*info, signer->certificate); !checked)
      return failure(checked.error());
    if (const auto done = do_arithmetic(cms->get(), detached); !done) return failure(done.error());
    const Digest identity = identity_of(signer->certificate, *content);
    return SignedContent(std::string(*content), std::move(signer->certificate),
                         std::move(signer->others), identity);
  }
};

Result<std::string> sign(const SignRequest& request) {
  const CleanErrorQueue clean;
  if (!request.signer.belongs_to(request.key)) return failure(Error::bad_key);
  const unsigned flags = CMS_BINARY | CMS_PARTIAL | (request.is_detached ? CMS_DETACHED : 0U);
  const Cms cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, flags));
  const BioHandle content = read_from(request.content);
  if (!cms || !content || !add_signer(cms.get(), request) || !add_chain(cms.get(), request) ||
      CMS_final(cms.get(), content.get(), nullptr, flags) != 1)
    return failure(Error::library);
  return encoded(cms.get());
}

Result<SignedContent> verify_signature(std::string_view der,
                                       std::optional<std::string_view> detached) {
  const CleanErrorQueue clean;
  const auto scan = scan_cms(der, {});
  if (!scan) return failure(scan.error());
  if (scan->kind != CmsKind::signed_data) return failure(Error::unsupported_type);
  return SignatureReader::read(der, detached);
}

} // namespace midcom::sip::e2m
