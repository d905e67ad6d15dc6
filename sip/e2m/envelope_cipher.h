// SPDX-License-Identifier: GPL-3.0-or-later
// The symmetric arithmetic of an envelope, by libcrypto: AES-GCM for the content, AES key wrap
// (RFC 3394) for its key, the X9.63 KDF for what ECDH agreed on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/e2m/cms_scan.h"
#include "sip/e2m/error.h"
#include "sip/e2m/secret.h"

namespace midcom::sip::e2m {

struct GcmSealed {
  std::string encrypted;
  std::string tag;
};

// Precondition of all: keys of 16 or 32 octets.
[[nodiscard]] Result<GcmSealed> encrypt_gcm(const Secret& key, std::string_view nonce,
                                            std::string_view content);
// Nothing of the content gets out unless the tag fits.
[[nodiscard]] Result<std::string> decrypt_gcm(const Secret& key, std::string_view nonce,
                                              std::string_view associated,
                                              std::string_view encrypted, std::string_view tag);

[[nodiscard]] Result<std::string> wrap_key(const Secret& kek, const Secret& key);
[[nodiscard]] Result<Secret> unwrap_key(const Secret& kek, std::string_view wrapped);

// RFC 5753 7.2: the key-encryption key from the shared secret and ECC-CMS-SharedInfo.
[[nodiscard]] Result<Secret> derive_wrap_key(const Secret& shared, Hash hash, AesSize wrap,
                                             std::optional<std::string_view> keying_material);

// The AlgorithmIdentifier of AES key wrap.
[[nodiscard]] std::string wrap_algorithm(AesSize size);

} // namespace midcom::sip::e2m
