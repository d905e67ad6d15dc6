// SPDX-License-Identifier: GPL-3.0-or-later
// What the public octets of a CMS body say, in words for a person.
#pragma once

#include <string>
#include <string_view>

#include "sip/e2m/certificate.h"
#include "sip/e2m/cms_scan.h"
#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

// Whether the recipient is the owner of this certificate.
[[nodiscard]] bool is_named(const RecipientScan& recipient, const Certificate& certificate);

// "issuer CN=..., serial 4F2A", "key identifier 0A1B", "KEK 616263": hexadecimal is in upper case.
[[nodiscard]] std::string recipient_name(const RecipientScan& recipient);
// "ECDH P-256, SHA-256 KDF, AES-128 key wrap", "RSA-OAEP, SHA-256", "AES-128 key wrap".
[[nodiscard]] std::string recipient_method(const RecipientScan& recipient);
[[nodiscard]] std::string_view cipher_name(AesSize cipher); // "AES-128-GCM"

// Of the one signer: "ECDSA, SHA-256", "RSA-PSS, SHA-256", "RSA PKCS #1, SHA-384". Precondition:
// scan_cms took these octets for SignedData with a signer; Error::malformed when that is not so.
[[nodiscard]] Result<std::string> signature_method(std::string_view der);

[[nodiscard]] std::string hexadecimal(std::string_view octets);

} // namespace midcom::sip::e2m
