// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/chain_checker.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using Context = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

void free_stack(STACK_OF(X509) * certificates) {
  sk_X509_free(certificates);
}
using Borrowed = Owned<STACK_OF(X509), free_stack>; // not what is in it

constexpr int most_intermediates = 4;
constexpr int security_level = 2; // of libcrypto: 112 bits, so no RSA below 2048 bits and no SHA-1

std::int64_t seconds_of(const ASN1_TIME* time, std::int64_t otherwise) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return otherwise;
  return ::timegm(&broken_down);
}

// crl = use-if-present: no list, or one out of its time, is no reason to refuse. Who stands in a
// list that is there is refused all the same: libcrypto goes on to look.
int tolerate_absent_lists(int is_ok, X509_STORE_CTX* context) {
  switch (X509_STORE_CTX_get_error(context)) {
  case X509_V_ERR_UNABLE_TO_GET_CRL:
  case X509_V_ERR_CRL_HAS_EXPIRED:
  case X509_V_ERR_CRL_NOT_YET_VALID:
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  default:
    return is_ok;
  }
}

Distrust distrust_of_path(int error) {
  switch (error) {
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return Distrust::self_signed;
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_CERT_UNTRUSTED:
  case X509_V_ERR_CERT_REJECTED:
    return Distrust::untrusted;
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return Distrust::not_yet_valid;
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return Distrust::expired;
  case X509_V_ERR_CERT_REVOKED:
    return Distrust::revoked;
  case X509_V_ERR_UNABLE_TO_GET_CRL:
  case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    return Distrust::crl_missing;
  case X509_V_ERR_CRL_HAS_EXPIRED:
  case X509_V_ERR_CRL_NOT_YET_VALID:
    return Distrust::crl_stale;
  case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
  case X509_V_ERR_CRL_SIGNATURE_FAILURE:
  case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
  case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
  case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
  case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
  case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
  case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    return Distrust::crl_bad;
  case X509_V_ERR_EE_KEY_TOO_SMALL:
  case X509_V_ERR_CA_KEY_TOO_SMALL:
  case X509_V_ERR_CA_MD_TOO_WEAK:
    return Distrust::weak;
  case X509_V_ERR_OUT_OF_MEM:
  case X509_V_ERR_UNSPECIFIED:
    return Distrust::failure;
  default:
    return Distrust::bad_chain;
  }
}

bool add_anchors(X509_STORE* store, std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    const auto all = Certificate::all_from_pem(text);
    if (!all) return false;
    for (const Certificate& anchor : *all)
      if (X509_check_ca(anchor.get()) == 0 || X509_STORE_add_cert(store, anchor.get()) != 1)
        return false;
  }
  return true;
}

using Lists = std::vector<std::shared_ptr<X509_CRL>>;

bool read_lists(Lists& lists, const std::string& pem) {
  const CleanErrorQueue clean;
  const BioHandle text = read_from(pem);
  const std::size_t before = lists.size();
  while (text) {
    X509_CRL* list = PEM_read_bio_X509_CRL(text.get(), nullptr, nullptr, nullptr);
    if (list == nullptr) break;
    lists.emplace_back(list, X509_CRL_free);
  }
  // Anything but having reached the end is a block that should have been a list.
  return lists.size() > before && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

bool prepare(X509_STORE_CTX* context, std::int64_t now, bool is_crl_required) {
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(rules, now);
  X509_VERIFY_PARAM_set_depth(rules, most_intermediates);
  X509_VERIFY_PARAM_set_auth_level(rules, security_level);
  if (!is_crl_required) X509_STORE_CTX_set_verify_cb(context, tolerate_absent_lists);
  return X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
                                                X509_V_FLAG_POLICY_CHECK) == 1;
}

} // namespace

Result<ChainChecker> ChainChecker::make(std::span<const std::string> authorities,
                                        std::span<const std::string> revocation_lists,
                                        bool is_crl_required) {
  const CleanErrorQueue clean;
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  Lists lists;
  if (!store || !add_anchors(store.get(), authorities))
    return std::unexpected(Error::bad_certificate);
  for (const std::string& text : revocation_lists)
    if (!read_lists(lists, text)) return std::unexpected(Error::bad_certificate);
  for (const auto& list : lists)
    if (X509_STORE_add_crl(store.get(), list.get()) != 1)
      return std::unexpected(Error::bad_certificate);
  return ChainChecker(std::move(store), std::move(lists), is_crl_required);
}

// A list that is only used if present is used out of its time too: it bounds nothing.
void ChainChecker::narrow(Period& period, X509* certificate) const {
  constexpr auto never = std::numeric_limits<std::int64_t>::max();
  period.from = std::max(period.from, seconds_of(X509_get0_notBefore(certificate), never));
  period.until = std::min(period.until, seconds_of(X509_get0_notAfter(certificate), 0));
  if (!is_crl_required_) return;
  for (const auto& list : lists_) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_issuer_name(certificate)) != 0)
      continue;
    period.from = std::max(period.from, seconds_of(X509_CRL_get0_lastUpdate(list.get()), never));
    period.until = std::min(period.until, seconds_of(X509_CRL_get0_nextUpdate(list.get()), 0));
  }
}

std::expected<ChainChecker::Period, Distrust>
ChainChecker::check(const Certificate& certificate, std::span<const Certificate> others,
                    std::int64_t now) const {
  const CleanErrorQueue clean;
  const Borrowed untrusted(sk_X509_new_null());
  const Context context(X509_STORE_CTX_new());
  if (!untrusted || !context) return std::unexpected(Distrust::failure);
  for (const Certificate& other : others)
    if (sk_X509_push(untrusted.get(), other.get()) <= 0) return std::unexpected(Distrust::failure);
  if (X509_STORE_CTX_init(context.get(), store_.get(), certificate.get(), untrusted.get()) != 1 ||
      !prepare(context.get(), now, is_crl_required_))
    return std::unexpected(Distrust::failure);
  if (X509_verify_cert(context.get()) != 1)
    return std::unexpected(distrust_of_path(X509_STORE_CTX_get_error(context.get())));
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  Period period{.from = 0, .until = std::numeric_limits<std::int64_t>::max()};
  for (int i = 0; i < sk_X509_num(chain); ++i) narrow(period, sk_X509_value(chain, i));
  return period;
}

} // namespace midcom::sip::e2m
