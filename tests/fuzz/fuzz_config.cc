// SPDX-License-Identifier: GPL-3.0-or-later
// Text of midcomd.conf: no crash; every error has its place and is one printable line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/config_check.h"
#include "daemon/config_schema.h"

namespace {

void check(const midcom::ConfigErrors& errors, int lines) {
  for (const midcom::ConfigError& error : errors) {
    if (error.file != "fuzz.conf" || error.line < 0 || error.line > lines) std::abort();
    for (const char c : error.to_string()) {
      if ((c < ' ' && c != '\t') || c > '~') std::abort();
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  int lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  midcom::ConfigText content = midcom::read_config_text(text, "fuzz.conf");
  check(content.errors, lines);
  midcom::ConfigDraft draft = midcom::read_sections(std::move(content.sections), "fuzz.conf");
  midcom::check_listeners(draft);
  midcom::check_peers(draft);
  midcom::check_networks(draft);
  midcom::check_routes(draft); // not check_tls: it opens files
  midcom::check_limits(draft);
  midcom::check_log_and_firewall(draft);
  check(draft.errors, lines);
  return 0;
}
