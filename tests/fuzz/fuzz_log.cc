// SPDX-License-Identifier: GPL-3.0-or-later
// Remote text in a log line: one line, printable, and the value ends where it should.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/log_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Event event = Event(Level::info, "x").add("k", text).add("end", "1");
  for (const std::string& line : {to_logfmt(event, {}), to_json(event, {})}) {
    for (const char c : line) {
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) std::abort();
    }
  }
  const std::string line = to_logfmt(event, {});
  std::size_t at = line.find(" k=") + 3;
  if (line[at] == '"') {
    for (++at; line.at(at) != '"'; ++at) at += line[at] == '\\' ? 1 : 0;
    ++at;
  } else {
    at = line.find(' ', at);
  }
  if (line.substr(at) != " end=1") std::abort();
  return 0;
}
