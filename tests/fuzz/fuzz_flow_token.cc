// SPDX-License-Identifier: GPL-3.0-or-later
// Nothing but what encode() made under this key decodes, and it decodes to what it was.
#include <cstdint>
#include <string_view>

#include "daemon/flow_token.h"
#include "tests/fuzz/require.h"

using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom;
  constexpr SecretKey key{1}, other{2};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = decode_token(key, text)) {
    require(encode(key, *token) == text);
    require(!decode_token(other, text));
  }
  FlowToken token;
  token.kind = size % 2 == 0 ? FlowToken::Kind::flow : FlowToken::Kind::peer;
  for (std::size_t i = 0; i < size && i < 8; ++i) token.value = token.value << 8 | data[i];
  for (std::size_t i = 8; i < size && i < 12; ++i) token.epoch = token.epoch << 8 | data[i];
  std::string sealed = encode(key, token);
  require(decode_token(key, sealed) == token);
  if (size >= 2) {
    char& nibble = sealed[data[0] % sealed.size()];
    const char changed = "0123456789abcdef"[data[1] % 16];
    const bool is_same = nibble == changed;
    nibble = changed;
    require(decode_token(key, sealed).has_value() == is_same);
  }
  return 0;
}
