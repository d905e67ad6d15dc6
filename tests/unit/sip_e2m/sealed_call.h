// SPDX-License-Identifier: GPL-3.0-or-later
// A call from alice to bob through a middle, to be sealed and looked at. Carol is of the same
// domain and not in it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sip/e2m/inspection.h"
#include "sip/e2m/make_certificates.h"
#include "sip/e2m/seal_message.h"
#include "tests/unit/sip_e2m/made_signature.h"

namespace midcom::sip::e2m::test {

extern const std::string keyed_description, shared_description; // with and without a=crypto

// An INVITE of alice's, and bob's 200 to it; the body is an SDP with a key unless given.
[[nodiscard]] MessagePtr plain_message(const std::string& fields, const std::string& body);
[[nodiscard]] MessagePtr plain_message();
[[nodiscard]] MessagePtr plain_response();

struct Call {
  DecryptionKey alice, bob, carol, gateway; // of parties().root
  MessagePtr message;
  // Of `message`, by alice, for bob and the gateway.
  [[nodiscard]] SealOrder order() const;
};
[[nodiscard]] const Call& sample_call();

[[nodiscard]] std::string sealed(const SealOrder& order);
// With these keys, by an authority that knows everybody of the call.
[[nodiscard]] Inspection inspected(std::string_view text, std::span<const DecryptionKey> keys);

} // namespace midcom::sip::e2m::test
