// SPDX-License-Identifier: GPL-3.0-or-later
// Any octets as a message file, looked at with a key and an authority: no crash, bounded in depth
// and number, nothing verified (no seed's signer has that authority), and what is shown holds no
// key and steers no terminal.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/inspection_text.h"
#include "sip/cursor.h"
#include "sip/e2m/inspection.h"
#include "tests/fuzz/recipient.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom;
using namespace midcom::sip::e2m;
using midcom::fuzz::require;

constexpr std::int64_t now = 1'800'000'000;
constexpr std::size_t most_parts = 512; // those beyond the limit are seen as such

const DecryptionKey& recipient() {
  static const DecryptionKey key{Certificate::from_pem(fuzz::recipient_certificate).value(),
                                 PrivateKey::from_pem(fuzz::recipient_key).value()};
  return key;
}

TrustStore& trust() {
  static TrustStore store =
      TrustStore::make({.authorities = {fuzz::recipient_certificate}, .is_crl_required = false})
          .value();
  return store;
}

std::size_t check(const SeenPart& part) {
  require(!part.is_verified);
  require(!part.content || (part.parts.empty() && part.fault.empty()));
  require(!part.envelope || part.envelope->outcome == SeenEnvelope::Outcome::opened ||
          part.parts.empty());
  for (std::string line : shown_lines(part)) {
    std::ranges::transform(line, line.begin(), sip::to_lower);
    require(!line.contains("inline:"));
  }
  std::size_t count = 1;
  for (const SeenPart& inner : part.parts) count += check(inner);
  return count;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const Inspection seen =
      inspect(octets, {.keys = {&recipient(), 1}, .trust = &trust(), .now = now});
  require(seen.verdict != Verdict::good);
  require(check(seen.root) <= most_parts);
  const std::string text = inspection_text(seen);
  require(std::ranges::all_of(
      text, [](unsigned char c) { return c == '\n' || (c >= 0x20 && c != 0x7f); }));
  require(std::ranges::all_of(inspection_json(seen),
                              [](unsigned char c) { return c == '\n' || c >= 0x20; }));
  return 0;
}
