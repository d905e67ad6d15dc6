// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/seal_command.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include "daemon/command_files.h"
#include "daemon/command_words.h"
#include "daemon/exit_status.h"
#include "sip/cursor.h"
#include "sip/e2m/seal_message.h"
#include "sip/sdp.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Takes = OptionName::Takes;

constexpr const char* usage =
    "usage: midcomctl seal FILE --sign PEM --key KEY [--for PEM ...] [--middle PEM ...] "
    "[--private]\n"
    "                      [--detached] [--no-aib] [--aes256] [--reference HEX] [-o FILE]\n";

constexpr std::array options{
    OptionName{"sign", Takes::one_value},      OptionName{"key", Takes::one_value},
    OptionName{"for", Takes::values},          OptionName{"middle", Takes::values},
    OptionName{"private", Takes::nothing},     OptionName{"detached", Takes::nothing},
    OptionName{"no-aib", Takes::nothing},      OptionName{"aes256", Takes::nothing},
    OptionName{"reference", Takes::one_value}, OptionName{"output", Takes::one_value, 'o'}};

int fail(const std::string& why, int status) {
  std::fprintf(stderr, "midcomctl seal: %s\n", why.c_str());
  return status;
}

std::optional<std::string> octets_of(std::string_view hexadecimal) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (hexadecimal.empty() || hexadecimal.size() % 2 != 0) return std::nullopt;
  std::string octets;
  for (std::size_t at = 0; at < hexadecimal.size(); at += 2) {
    const std::size_t high = digits.find(sip::to_lower(hexadecimal[at]));
    const std::size_t low = digits.find(sip::to_lower(hexadecimal[at + 1]));
    if (high >= digits.size() || low >= digits.size()) return std::nullopt;
    octets += static_cast<char>(16 * high + low);
  }
  return octets;
}

bool makes_sense(const CommandWords& words) {
  return words.operands().size() == 1 && words.has("sign") && words.has("key") &&
         (!words.has("reference") || (words.has("for") && octets_of(words.value("reference"))));
}

std::string_view sentence(e2m::SealFault fault) {
  using Fault = e2m::SealFault;
  switch (fault) {
  case Fault::no_body:
    return "the message has no body, or no Content-Type";
  case Fault::encoded_body:
    return "the body has a Content-Encoding";
  case Fault::nobody_to_read:
    return "--middle and --private want --for";
  case Fault::nameless_middle:
    return "a middle's certificate has no DNS name for the label";
  case Fault::not_description:
    return "--private wants a session description that can be read";
  case Fault::no_keys:
    return "--private: the session description has no keys";
  case Fault::headers:
    return "the header fields can't be bound: Date is none, or there are several Contacts";
  case Fault::key:
    return "the key isn't the certificate's, or a key isn't of a kind that is taken";
  case Fault::bad_reference:
    return "the reference is too long";
  case Fault::too_large:
    return "too large, or for too many";
  case Fault::library:
    break;
  }
  return "libcrypto failed";
}

// What a middle would see; a mistake that costs nothing to mention.
void warn_of_keys(const sip::Message& message, const CommandWords& line) {
  if (!line.has("middle") || line.has("private")) return;
  const auto sdp = sip::Sdp::parse(message.body(), {});
  if (!sdp) return;
  for (const sip::SdpMedia& media : (*sdp)->media())
    if (media.has_key_material) {
      std::fputs("midcomctl seal: the middles will see the SRTP keys; --private hides them\n",
                 stderr);
      return;
    }
}

FromFile<sip::MessagePtr> parse_message(const std::string& path, std::string octets) {
  const bool has_line_ends = octets.contains("\r\n");
  auto message = sip::Message::parse(std::move(octets), sip::Framing::datagram, {});
  if (message) return *std::move(message);
  return std::unexpected(path + ": no SIP message: " + std::string(to_string(message.error())) +
                         (has_line_ends ? "" : " (its lines must end in CR LF)"));
}

struct Material {
  std::vector<e2m::Certificate> signer; // and what leads to its authority
  e2m::PrivateKey key;
  std::vector<e2m::Certificate> recipients, middles;
};

FromFile<Material> read_material(const CommandWords& line) {
  auto signer = read_certificates(line.value("sign"));
  if (!signer) return std::unexpected(signer.error());
  auto key = read_private_key(line.value("key"));
  if (!key) return std::unexpected(key.error());
  auto recipients = read_each_certificate(line.values("for"));
  if (!recipients) return std::unexpected(recipients.error());
  auto middles = read_each_certificate(line.values("middle"));
  if (!middles) return std::unexpected(middles.error());
  return Material{*std::move(signer), *std::move(key), *std::move(recipients), *std::move(middles)};
}

} // namespace

int run_seal_command(int count, char** words) {
  const auto line = CommandWords::parse(count, words, options);
  if (!line || !makes_sense(*line)) {
    std::fputs(usage, stderr);
    return exit_usage;
  }
  const auto material = read_material(*line);
  if (!material) return fail(material.error(), exit_usage);
  const std::string& path = line->operands().front();
  auto octets = read_input(path);
  if (!octets) return fail(octets.error(), exit_usage);
  const auto message = parse_message(path, *std::move(octets));
  if (!message) return fail(message.error(), exit_data);
  warn_of_keys(**message, *line);
  const auto sealed = e2m::seal_message(
      {.message = **message,
       .signer = material->signer.front(),
       .key = material->key,
       .chain = std::span(material->signer).subspan(1),
       .recipients = material->recipients,
       .middles = material->middles,
       .has_private_part = line->has("private"),
       .is_detached = line->has("detached"),
       .has_identity = !line->has("no-aib"),
       .cipher = line->has("aes256") ? e2m::AesSize::aes256 : e2m::AesSize::aes128,
       .cek_reference = octets_of(line->value("reference")),
       .now = std::time(nullptr)});
  if (!sealed) return fail(std::string(sentence(sealed.error())), exit_failure);
  const auto written = write_output(line->value("output"), *sealed, 0644);
  return written ? exit_ok : fail(written.error(), exit_usage);
}

} // namespace midcom
