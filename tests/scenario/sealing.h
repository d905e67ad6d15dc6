// SPDX-License-Identifier: GPL-3.0-or-later
// What a user agent with S/MIME does to a message's body: AIB, signature, envelope, label. Every
// name has a certificate of the scenario's own authority (sip:NAME@example.com; `gw` is the
// gateway's).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/agent_config.h"
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
  // What the openers of this configuration hold, whose certificates are filled in.
  [[nodiscard]] OpenerMaterial opener_material(AgentConfig& config);

  // What `reader` makes of a message's body.
  struct Opened {
    std::vector<std::string> texts;   // leaves, identity bodies not counted
    std::vector<std::string> signers; // URI of each signature that verifies, outermost first
    std::string aib;                  // the last one
    int opened = 0, closed = 0;       // envelopes
  };
  [[nodiscard]] Opened open(const Wire& wire, const std::string& reader);

private:
  [[nodiscard]] std::string signed_entity(const Wire& wire, const std::string& entity,
                                          const std::map<std::string, std::string>& options,
                                          std::int64_t now);
  [[nodiscard]] std::string envelope(const std::string& entity, const std::string& recipients,
                                     const std::map<std::string, std::string>& options);

  sip::e2m::CertificateAuthority authority_, stranger_;
  std::map<std::string, sip::e2m::MadeCertificate> made_;
  struct Entity {
    std::string type, disposition, body; // of Content-Type all of the value
  };
  [[nodiscard]] static Entity entity_of(const std::string& text);
  void read(const Entity& entity, const std::string& reader, Opened& result);

  std::map<std::string, sip::e2m::Secret> ceks_; // by reference
  std::string last_reference_;                   // offered by what was opened last
};

} // namespace midcom::scenario
