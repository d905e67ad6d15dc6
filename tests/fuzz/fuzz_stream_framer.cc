// SPDX-License-Identifier: GPL-3.0-or-later
// The outcomes do not depend on the segments: the first octet of the input seeds their sizes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sip/stream_framer.h"

namespace {

using namespace midcom::sip;

std::string text_of(const StreamFramer::Outcome& outcome) {
  if (const auto* frame = std::get_if<StreamFramer::Frame>(&outcome)) return "F" + frame->bytes;
  if (const auto* broken = std::get_if<StreamFramer::Broken>(&outcome))
    return "B" + std::string(to_string(broken->error)) + broken->rejected;
  return std::string(1, static_cast<char>('0' + outcome.index()));
}

std::vector<std::string> feed(std::string_view bytes, std::uint32_t seed) {
  StreamFramer framer{{.message = 4096, .headers = 1024, .body = 2048, .line = 256, .fields = 16}};
  std::vector<std::string> outcomes;
  while (!bytes.empty()) {
    seed = seed * 1664525 + 1013904223;
    const std::size_t size = 1 + (seed >> 24) % 37;
    framer.append(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
    while (true) {
      const auto outcome = framer.next();
      if (std::holds_alternative<StreamFramer::NeedMore>(outcome)) break;
      outcomes.push_back(text_of(outcome));
      if (std::holds_alternative<StreamFramer::Broken>(outcome)) return outcomes;
    }
  }
  return outcomes;
}

std::vector<std::string> feed_whole(std::string_view bytes) {
  StreamFramer framer{{.message = 4096, .headers = 1024, .body = 2048, .line = 256, .fields = 16}};
  std::vector<std::string> outcomes;
  framer.append(bytes);
  while (true) {
    const auto outcome = framer.next();
    if (std::holds_alternative<StreamFramer::NeedMore>(outcome)) return outcomes;
    outcomes.push_back(text_of(outcome));
    if (std::holds_alternative<StreamFramer::Broken>(outcome)) return outcomes;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (feed_whole(bytes) != feed(bytes, data[0])) std::abort();
  return 0;
}
