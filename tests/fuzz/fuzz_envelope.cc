// SPDX-License-Identifier: GPL-3.0-or-later
// What is sealed opens again by key and by KEK, and with one octet changed by neither; the octets
// say what is sealed, with what attributes, and which octet is changed to what.
#include <cstdlib>

#include <array>

#include "sip/e2m/envelope.h"
#include "tests/fuzz/recipient.h"

namespace {

using namespace midcom::sip::e2m;

const DecryptionKey& recipient() {
  static const DecryptionKey key{Certificate::from_pem(midcom::fuzz::recipient_certificate).value(),
                                 PrivateKey::from_pem(midcom::fuzz::recipient_key).value()};
  return key;
}

constexpr std::string_view kek_reference = "reference";

std::optional<Secret> kek_of(std::string_view reference) {
  if (reference != kek_reference) return std::nullopt;
  return Secret::copy_of("fedcba9876543210");
}

struct Choices {
  bool has_kek = false;
  bool has_recipient = false;
  bool has_reference = false;
  AesSize cipher = AesSize::aes128;
  std::uint8_t position = 0;
  std::uint8_t change = 0;
};

Choices read_choices(const std::uint8_t* data) {
  return {(data[0] & 1U) != 0,
          (data[0] & 2U) != 0,
          (data[0] & 4U) != 0,
          (data[0] & 8U) != 0 ? AesSize::aes256 : AesSize::aes128,
          data[1],
          data[2]};
}

void check_opened(const Result<Opened>& opened, const EnvelopeRequest& request,
                  const Sealed& sealed) {
  if (!opened || opened->content != request.content || !(opened->cek == sealed.cek) ||
      opened->cek_reference != request.cek_reference)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Choices choices = read_choices(data);
  const std::string_view content(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::array<Certificate, 1> one{recipient().certificate};
  EnvelopeRequest request;
  request.content = content;
  request.cipher = choices.cipher;
  if (choices.has_recipient) request.recipients = one;
  if (choices.has_kek) request.kek = Kek{*kek_of(kek_reference), std::string(kek_reference)};
  if (choices.has_reference) request.cek_reference = content.substr(0, content.size() / 2);
  const auto sealed = seal_envelope(request);
  if (!sealed) return 0;
  if (choices.has_kek)
    check_opened(open_envelope(sealed->der, {}, kek_of, false), request, *sealed);
  if (choices.has_recipient)
    check_opened(open_envelope(sealed->der, std::span(&recipient(), 1), nullptr, true), request,
                 *sealed);
  // With both a KEK and a certificate each leaves the other's recipient unread, and the attributes
  // are not authenticated.
  if (choices.has_kek == choices.has_recipient || choices.has_reference || choices.change == 0)
    return 0;
  std::string changed = sealed->der;
  const std::size_t at = changed.size() * choices.position / 256;
  changed[at] = static_cast<char>(static_cast<std::uint8_t>(changed[at]) ^ choices.change);
  if (open_envelope(changed, std::span(&recipient(), 1),
                    choices.has_kek ? KekLookup(kek_of) : nullptr, choices.has_recipient))
    std::abort();
  return 0;
}
