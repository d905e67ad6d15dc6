// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdint>
#include <string_view>

#include "sip/ip_address.h"
#include "sip/uri.h"
#include "tests/fuzz/require.h"

using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom::sip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = IpAddress::parse(text))
    require(IpAddress::parse(address->to_string()) == address);
  const auto uri = Uri::parse(text);
  if (!uri) return 0;
  require(uri->text == text);
  require(uri->equivalent(*uri));
  const std::string record = uri->address_of_record();
  const auto canonical = Uri::parse(record);
  require(canonical.has_value());
  require(canonical->address_of_record() == record);
  return 0;
}
