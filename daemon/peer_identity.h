// SPDX-License-Identifier: GPL-3.0-or-later
// RFC 5922: which SIP domains an X.509 certificate speaks for. Says nothing about whether the
// certificate is to be trusted: call it for verified ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace midcom {

// RFC 5922 7.1, lower case, each once: the hosts of `sip:` URIs in the subjectAltName without a
// userpart; DNS names there only if there is no such URI; the CN only if the certificate has no
// subjectAltName at all. Values that aren't DNS names (NUL inside, empty, over 255 octets) are left
// out.
[[nodiscard]] std::vector<std::string> sip_identities(const x509_st& certificate);

// RFC 5922 7.2: whole DNS names, case-insensitive; no wildcards, no suffixes. One final dot does
// not count.
[[nodiscard]] bool same_identity(std::string_view a, std::string_view b);
[[nodiscard]] bool has_identity(const std::vector<std::string>& identities, std::string_view name);

// RFC 5280 4.2.1.12, RFC 5924: without an extended key usage any use is allowed; with one it must
// name id-kp-sipDomain, anyExtendedKeyUsage, serverAuth or clientAuth.
[[nodiscard]] bool allows_sip(const x509_st& certificate);

} // namespace midcom
