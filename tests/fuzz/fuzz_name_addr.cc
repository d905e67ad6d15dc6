// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/name_addr.h"
#include "sip/via.h"
#include "tests/fuzz/require.h"

using namespace midcom::sip;
using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = NameAddr::parse(text)) {
    const auto again = NameAddr::parse(address->text);
    require(again && again->tag() == address->tag() && again->uri.text == address->uri.text);
    // One value is one element of a list.
    const auto values = split_list(text);
    require(values && values->size() == 1 && values->front() == address->text);
  }
  if (const auto via = Via::parse(text)) {
    const auto again = Via::parse(via->text);
    require(again && again->branch() == via->branch() && again->port == via->port);
    const auto values = split_list(text);
    require(values && values->size() == 1);
  }
  if (const auto values = split_list(text))
    for (const std::string_view value : *values) {
      const auto alone = split_list(value);
      require(!value.empty() && alone && alone->size() == 1 && alone->front() == value);
    }
  return 0;
}
