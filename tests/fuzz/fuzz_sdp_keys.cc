// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever is shared holds no key, is a description, and is the private one but for keys; nothing
// that a screen shows holds the octets of an SRTP key.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/cursor.h"
#include "sip/sdp.h"
#include "sip/sdp_keys.h"
#include "tests/fuzz/require.h"

using namespace midcom::sip;
using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string shown = with_keys_hidden(text);
  std::ranges::transform(shown, shown.begin(), to_lower);
  require(!shown.contains("inline:"));
  require(with_keys_hidden(with_keys_hidden(text)) == with_keys_hidden(text));

  const auto shared = without_key_material(text);
  require(shared.has_value() == Sdp::parse(text, {}).has_value());
  if (!shared) return 0;
  const auto sdp = Sdp::parse(*shared, {});
  require(sdp.has_value());
  for (const SdpMedia& media : (*sdp)->media()) require(!media.has_key_material);
  require(without_key_material(*shared) == *shared);
  require(is_same_but_keys(*shared, text));
  return 0;
}
