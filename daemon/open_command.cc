// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/open_command.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "daemon/command_files.h"
#include "daemon/command_words.h"
#include "daemon/exit_status.h"
#include "sip/e2m/inspection.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Takes = OptionName::Takes;

constexpr const char* usage =
    "usage: midcomctl open FILE [--key KEY --certificate PEM] ... --ca PEM ... [--crl PEM ...]\n"
    "                      [-o FILE]\n"
    "       midcomctl open FILE [--key KEY --certificate PEM] ... --unverified [-o FILE]\n";

constexpr std::array options{
    OptionName{"key", Takes::values},         OptionName{"certificate", Takes::values},
    OptionName{"ca", Takes::values},          OptionName{"crl", Takes::values},
    OptionName{"unverified", Takes::nothing}, OptionName{"output", Takes::one_value, 'o'}};

int fail(const std::string& why, int status) {
  std::fprintf(stderr, "midcomctl open: %s\n", why.c_str());
  return status;
}

bool makes_sense(const CommandWords& words) {
  return words.operands().size() == 1 && words.has("ca") != words.has("unverified") &&
         (words.has("ca") || !words.has("crl"));
}

const e2m::SeenSignature* first_refused(const e2m::SeenPart& part) {
  if (part.signature &&
      (part.signature->distrust || (part.signature->binding != e2m::Binding::this_message &&
                                    part.signature->binding != e2m::Binding::not_asked)))
    return &*part.signature;
  for (const e2m::SeenPart& inner : part.parts)
    if (const auto* found = first_refused(inner)) return found;
  return nullptr;
}

std::string why_unverified(const e2m::Inspection& seen) {
  if (seen.pairing == e2m::Pairing::different || seen.pairing == e2m::Pairing::other_signer)
    return "shared and private description: " + std::string(to_string(seen.pairing));
  const e2m::SeenSignature* signature = first_refused(seen.root);
  if (signature == nullptr) return "not signed";
  if (signature->distrust) return "signature: " + std::string(to_string(*signature->distrust));
  std::string why = "signature binds: " + std::string(to_string(signature->binding));
  if (signature->fault != sip::AibFault::none)
    why += " (" + std::string(to_string(signature->fault)) + ")";
  return why;
}

bool is_believed(const e2m::Inspection& seen, const e2m::SeenPart& part) {
  return part.is_verified && seen.pairing != e2m::Pairing::different &&
         seen.pairing != e2m::Pairing::other_signer;
}

int write_innermost(const e2m::Inspection& seen, const CommandWords& line) {
  const e2m::SeenPart* part = innermost(seen.root);
  if (part == nullptr && seen.verdict == e2m::Verdict::malformed)
    return fail("malformed, see midcomctl inspect", exit_data);
  if (part == nullptr) return fail("nothing in it is readable with these keys", exit_failure);
  if (!line.has("unverified") && !is_believed(seen, *part))
    return fail("not verified: " + why_unverified(seen), exit_failure);
  constexpr mode_t for_the_owner = 0600; // there may be SRTP keys in it
  const auto written = write_output(line.value("output"), *part->content, for_the_owner);
  return written ? exit_ok : fail(written.error(), exit_usage);
}

} // namespace

int run_open_command(int count, char** words) {
  const auto line = CommandWords::parse(count, words, options);
  if (!line || !makes_sense(*line)) {
    std::fputs(usage, stderr);
    return exit_usage;
  }
  const auto keys = read_decryption_keys(line->values("key"), line->values("certificate"));
  if (!keys) return fail(keys.error(), exit_usage);
  e2m::InspectionOrder order{.keys = *keys, .now = std::time(nullptr)};
  auto trust = line->has("ca") ? read_trust(line->values("ca"), line->values("crl"))
                               : FromFile<e2m::TrustStore>(std::unexpected(std::string()));
  if (trust) order.trust = &*trust;
  if (line->has("ca") && !trust) return fail(trust.error(), exit_usage);
  const auto octets = read_input(line->operands().front());
  if (!octets) return fail(octets.error(), exit_usage);
  return write_innermost(e2m::inspect(*octets, order), *line);
}

} // namespace midcom
