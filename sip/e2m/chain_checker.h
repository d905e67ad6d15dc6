// SPDX-License-Identifier: GPL-3.0-or-later
// Certification paths by RFC 5280 6, with revocation by lists that were given beforehand. Nothing
// is fetched.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sip/e2m/certificate.h"
#include "sip/e2m/distrust.h"
#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

class ChainChecker {
public:
  // PEM texts, as TrustConfig has them. Error: bad_certificate.
  [[nodiscard]] static Result<ChainChecker> make(std::span<const std::string> authorities,
                                                 std::span<const std::string> revocation_lists,
                                                 bool is_crl_required);

  struct Period { // seconds since the epoch, until is past the end
    std::int64_t from = 0, until = 0;
  };
  // How long the finding holds, as long as neither authorities nor lists change. `others` may lead
  // to an authority; they are not trusted for being there.
  [[nodiscard]] std::expected<Period, Distrust> check(const Certificate& certificate,
                                                      std::span<const Certificate> others,
                                                      std::int64_t now) const;

private:
  ChainChecker(std::shared_ptr<X509_STORE> store, std::vector<std::shared_ptr<X509_CRL>> lists,
               bool is_crl_required)
      : store_(std::move(store)), lists_(std::move(lists)), is_crl_required_(is_crl_required) {}
  void narrow(Period& period, X509* certificate) const;

  std::shared_ptr<X509_STORE> store_;
  std::vector<std::shared_ptr<X509_CRL>> lists_;
  bool is_crl_required_;
};

} // namespace midcom::sip::e2m
