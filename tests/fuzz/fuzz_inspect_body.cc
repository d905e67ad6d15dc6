// SPDX-License-Identifier: GPL-3.0-or-later
// A label that is read can be written, and is read again as the same.
#include <cstdint>
#include <string_view>

#include "sip/inspect_body.h"
#include "tests/fuzz/require.h"

using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom::sip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto label = parse_inspect_body(text);
  if (!label) return 0;
  require(!label->host.empty() && !label->content_ids.empty());
  require(label->content_ids.size() <= maximum_content_ids);
  require(canonical_middle_name(label->host) == label->host);
  const auto value = write_inspect_body(*label);
  require(value && value->find_first_of(" \t\r\n") == std::string::npos);
  require(parse_inspect_body(*value) == label);
  return 0;
}
