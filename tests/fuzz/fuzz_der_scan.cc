// SPDX-License-Identifier: GPL-3.0-or-later
// What the scan accepts is DER: written anew it is the same octets. It goes on to be opened with a
// fixed key and a KEK for every reference; whatever opens says so twice.
#include <cstdlib>

#include "sip/e2m/der.h"
#include "sip/e2m/envelope.h"
#include "tests/fuzz/recipient.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip::e2m;
using midcom::fuzz::is_within;

std::string write_anew(std::string_view octets) {
  std::string written;
  DerReader reader(octets);
  while (!reader.at_end()) {
    const auto element = reader.next();
    if (!element) std::abort();
    const bool is_constructed = (element->tag & 0x20U) != 0;
    written += write_der(element->tag, {is_constructed ? write_anew(element->content)
                                                       : std::string(element->content)});
  }
  return written;
}

const DecryptionKey& recipient() {
  static const DecryptionKey key{Certificate::from_pem(midcom::fuzz::recipient_certificate).value(),
                                 PrivateKey::from_pem(midcom::fuzz::recipient_key).value()};
  return key;
}

std::optional<Secret> any_kek(std::string_view) {
  return Secret::copy_of("0123456789abcdef");
}

void check_scan(const CmsScan& scan, std::string_view bytes) {
  if (scan.kind == CmsKind::signed_data) {
    if (scan.signers > 1 || scan.certificates.size() > 8) std::abort();
    for (const std::string_view certificate : scan.certificates)
      if (!is_within(certificate, bytes)) std::abort();
    return;
  }
  if (scan.recipients.empty() || scan.recipients.size() > 32) std::abort();
  if (scan.mac.size() != gcm_tag_octets || scan.nonce.size() != gcm_nonce_octets) std::abort();
  for (const RecipientScan& recipient : scan.recipients)
    if (!is_within(recipient.encrypted_key, bytes) || !is_within(recipient.identifier, bytes))
      std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto scan = scan_cms(bytes, {});
  if (!scan) return 0;
  if (write_anew(bytes) != bytes) std::abort();
  check_scan(*scan, bytes);
  for (const std::string_view certificate : scan->certificates)
    (void)Certificate::from_der(certificate);
  const auto by_kek = open_envelope(bytes, {}, any_kek, false);
  const std::uint64_t before = recipient().key.operations();
  const auto by_key = open_envelope(bytes, std::span(&recipient(), 1), nullptr, true);
  const std::uint64_t cost = recipient().key.operations() - before;
  if (cost != (scan->kind == CmsKind::auth_enveloped ? 1U : 0U)) std::abort();
  if (by_kek && by_key && by_kek->content.size() != by_key->content.size()) std::abort();
  return 0;
}
