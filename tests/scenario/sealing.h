// SPDX-License-Identifier: GPL-3.0-or-later
// What a user agent with S/MIME does to a message's body: AIB, signature, envelope, label. Every
// name has a certificate of the scenario's own authority (sip:NAME@example.com; `gw` is the
// gateway's).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/opener.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/make_certificates.h"
#include "tests/scenario/wire.h"

namespace midcom::scenario {

class Sealing {
public:
  Sealing();

  // `options` are words; see README.md "Seal:". `now` in seconds since the epoch.
  void apply(Wire& wire, const std::string& options, std::int64_t now);

  [[nodiscard]] const sip::e2m::MadeCertificate& of(const std::string& name);
  // What the gateway's openers hold.
  [[nodiscard]] OpenerMaterial opener_material();

private:
  [[nodiscard]] std::string signed_entity(const Wire& wire, const std::string& entity,
                                          const std::map<std::string, std::string>& options,
                                          std::int64_t now);
  [[nodiscard]] std::string envelope(const std::string& entity, const std::string& recipients,
                                     const std::map<std::string, std::string>& options);

  sip::e2m::CertificateAuthority authority_, stranger_;
  std::map<std::string, sip::e2m::MadeCertificate> made_;
  std::map<std::string, sip::e2m::Secret> ceks_; // by reference
};

} // namespace midcom::scenario
