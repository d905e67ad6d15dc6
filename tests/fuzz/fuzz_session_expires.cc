// SPDX-License-Identifier: GPL-3.0-or-later
// What is accepted has an interval that was written, and means the same when it is written anew.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/session_expires.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::require;

std::string text_of(const SessionExpires& value) {
  std::string text = std::to_string(value.seconds);
  if (value.refresher == Refresher::unsaid) return text;
  return text + (value.refresher == Refresher::uac ? ";refresher=uac" : ";refresher=uas");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = SessionExpires::parse(text);
  if (!parsed) return 0;
  require(text.find(std::to_string(parsed->seconds)) != std::string_view::npos);
  const auto again = SessionExpires::parse(text_of(*parsed));
  require(again && again->seconds == parsed->seconds && again->refresher == parsed->refresher);
  return 0;
}
