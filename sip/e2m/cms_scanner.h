// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the scan, each a grammar over a ScanCursor that leaves its fault there.
#pragma once

#include <string_view>
#include <vector>

#include "sip/e2m/cms_scan.h"
#include "sip/e2m/scan_cursor.h"

namespace midcom::sip::e2m {

// The cursor stands in the AuthEnvelopedData or SignedData.
void scan_auth_enveloped(ScanCursor fields, const CmsLimits& limits, CmsScan& scan);
void scan_signed_data(ScanCursor fields, const CmsLimits& limits, CmsScan& scan);

// The members of a RecipientInfos, appended to scan.recipients.
void scan_recipients(ScanCursor members, const CmsLimits& limits, CmsScan& scan);

struct Attribute {
  std::string_view type;  // content octets of the OID
  std::string_view value; // the whole element; empty when the attribute has not exactly one
};

// The members of a SET OF Attribute: at least one, no type twice, each with a value.
std::vector<Attribute> scan_attributes(ScanCursor members, const CmsLimits& limits);

// SHA-256, -384 or -512, with no parameters or NULL.
Hash scan_hash(ScanCursor& at);
// The parameters of RSAES-OAEP: SHA-256 twice and the empty label.
void scan_oaep_parameters(std::string_view parameters, ScanCursor& at);
// Those of RSASSA-PSS: `hash` twice, a salt of at most 1024 octets.
void scan_pss_parameters(std::string_view parameters, Hash hash, ScanCursor& at);
// AES key wrap without parameters.
AesSize scan_key_wrap(const AlgorithmIdentifier& algorithm, ScanCursor& at);

} // namespace midcom::sip::e2m
