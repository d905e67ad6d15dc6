// SPDX-License-Identifier: GPL-3.0-or-later
// Keys and self-signed certificates of the tests, made once in the process.
#pragma once

#include <string>

#include "sip/e2m/envelope.h"

namespace midcom::sip::e2m {

// A new key with a certificate of its own; the name is its CN and its SAN URI is
// sip:NAME@example.com.
[[nodiscard]] DecryptionKey make_test_key(KeyKind kind, const std::string& name);

// A certificate that names the same issuer and serial number for another key.
[[nodiscard]] DecryptionKey impersonate(const DecryptionKey& key, KeyKind kind);

// Made at first use, the same ever after.
[[nodiscard]] const DecryptionKey& rsa_key();
[[nodiscard]] const DecryptionKey& p256_key();
[[nodiscard]] const DecryptionKey& p384_key();

} // namespace midcom::sip::e2m
