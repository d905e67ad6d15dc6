// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/inspect_command.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "daemon/command_files.h"
#include "daemon/command_words.h"
#include "daemon/exit_status.h"
#include "daemon/inspection_text.h"
#include "sip/e2m/inspection.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Takes = OptionName::Takes;

constexpr const char* usage = "usage: midcomctl inspect FILE [--key KEY --certificate PEM] ... "
                              "[--ca PEM ...] [--crl PEM ...]\n"
                              "                         [--json]\n";

constexpr std::array options{OptionName{"key", Takes::values},
                             OptionName{"certificate", Takes::values},
                             OptionName{"ca", Takes::values}, OptionName{"crl", Takes::values},
                             OptionName{"json", Takes::nothing}};

int fail(const std::string& why) {
  std::fprintf(stderr, "midcomctl inspect: %s\n", why.c_str());
  return exit_usage;
}

bool makes_sense(const CommandWords& words) {
  return words.operands().size() == 1 && (words.has("ca") || !words.has("crl"));
}

int status_of(e2m::Verdict verdict) {
  if (verdict == e2m::Verdict::good) return exit_ok;
  return verdict == e2m::Verdict::refused ? exit_failure : exit_data;
}

} // namespace

int run_inspect_command(int count, char** words) {
  const auto line = CommandWords::parse(count, words, options);
  if (!line || !makes_sense(*line)) {
    std::fputs(usage, stderr);
    return exit_usage;
  }
  const auto keys = read_decryption_keys(line->values("key"), line->values("certificate"));
  if (!keys) return fail(keys.error());
  e2m::InspectionOrder order{.keys = *keys, .now = std::time(nullptr)};
  auto trust = line->has("ca") ? read_trust(line->values("ca"), line->values("crl"))
                               : FromFile<e2m::TrustStore>(std::unexpected(std::string()));
  if (trust) order.trust = &*trust;
  if (line->has("ca") && !trust) return fail(trust.error());
  const auto octets = read_input(line->operands().front());
  if (!octets) return fail(octets.error());

  const e2m::Inspection seen = e2m::inspect(*octets, order);
  const std::string shown = line->has("json") ? inspection_json(seen) : inspection_text(seen);
  if (const auto written = write_output({}, shown, 0); !written) return fail(written.error());
  return status_of(seen.verdict);
}

} // namespace midcom
