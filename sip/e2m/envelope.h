// SPDX-License-Identifier: GPL-3.0-or-later
// AuthEnvelopedData (RFC 5083): sealing a MIME entity for certificates and a KEK, and opening it.
//
// libcrypto gives the arithmetic (RSA, ECDH, AES), the structure is read by our scan and written by
// our DER. That way the CEK is at hand on both sides (RFC 3185 needs it), CEKReference and
// CEKMaxDecrypts can stand among the unauthenticated attributes, and an attempt to open costs what
// this file says it costs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sip/e2m/certificate.h"
#include "sip/e2m/cms_scan.h"
#include "sip/e2m/error.h"
#include "sip/e2m/private_key.h"
#include "sip/e2m/secret.h"

namespace midcom::sip::e2m {

struct Kek {
  Secret key;
  std::string reference; // the CEKReference of the message whose CEK it comes from
};

struct EnvelopeRequest {
  std::string_view content;
  std::span<const Certificate> recipients = {};
  std::optional<Kek> kek = std::nullopt; // one more recipient
  AesSize cipher = AesSize::aes128;
  std::optional<std::string> cek_reference =
      std::nullopt; // offers this message's CEK for the answer
  std::optional<std::uint32_t> max_decrypts = std::nullopt; // 1 to 2^31; only with a reference
};

struct Sealed {
  std::string der;
  Secret cek;
};

[[nodiscard]] Result<Sealed> seal_envelope(const EnvelopeRequest& request);

struct DecryptionKey {
  Certificate certificate;
  PrivateKey key; // the certificate's
};

// The KEK known by this reference, if any.
using KekLookup = std::function<std::optional<Secret>(std::string_view reference)>;

struct Opened {
  std::string content;
  Secret cek;
  bool by_kek = false;
  std::optional<std::string> cek_reference;
  std::uint32_t max_decrypts = 1;
};

// Scans, then tries the KEKs known by reference, then, when it may, one private key: the first of
// `keys` that a recipient names, once. When none is named the operation is done on the first key
// with octets of our own, and when the CEK can't be had the content is tried with a stand-in, so
// that every failure after the scan takes the same steps and is Error::undecipherable. Errors of
// the scan tell what anyone can see in the octets.
[[nodiscard]] Result<Opened> open_envelope(std::string_view der,
                                           std::span<const DecryptionKey> keys,
                                           const KekLookup& find_kek, bool may_use_private_key,
                                           const CmsLimits& limits = {});

// RFC 3185 3: the KEK of the next message is the CEK of this one with its octets in reverse.
[[nodiscard]] Secret kek_from_cek(const Secret& cek);

} // namespace midcom::sip::e2m
