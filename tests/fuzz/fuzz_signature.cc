// SPDX-License-Identifier: GPL-3.0-or-later
// Octets that should be SignedData, attached or over a content that stands behind them, against a
// TrustStore whose authority signed none of the seeds' certificates.
#include <cstdint>
#include <string_view>

#include "sip/e2m/make_certificates.h"
#include "sip/e2m/trust.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip::e2m;
using midcom::fuzz::require;

constexpr std::int64_t now = 1'800'000'000;

TrustStore make_store() {
  const auto root = CertificateAuthority::make_root("fuzz", {.from = 0, .until = 2 * now});
  require(root.has_value());
  auto store = TrustStore::make(
      {.authorities = {root->certificate().pem()},
       .revocation_lists = {root->revocation_list({}, {.from = 0, .until = 2 * now}).value()}});
  require(store.has_value());
  return *std::move(store);
}

void check(TrustStore& store, std::string_view der, std::optional<std::string_view> detached) {
  auto verified = verify_signature(der, detached);
  const auto again = store.verify(der, detached, now);
  require(!again); // nobody of ours signed it
  if (!verified) {
    require(again.error() == distrust_of(verified.error()));
    return;
  }
  if (detached) require(verified->content_of_anyone() == *detached);
  require(verified->others().size() < 8);
  const auto vouched = store.vouch(*std::move(verified), now);
  require(!vouched && vouched.error() == again.error());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static TrustStore store = make_store();
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check(store, octets, std::nullopt);
  check(store, octets, "content");
  return 0;
}
