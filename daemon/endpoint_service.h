// SPDX-License-Identifier: GPL-3.0-or-later
// The role `endpoint` (E2M.md 6): signs and seals what leaves the phones, opens and verifies what
// comes for them, and sends a request once more when its refusal says what was amiss. What the far
// end and the middles need is learned from their messages (endpoint_dialogs,
// endpoint_certificates).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/body_service.h"
#include "daemon/disclosure_service.h"
#include "daemon/endpoint_certificates.h"
#include "daemon/endpoint_dialogs.h"
#include "daemon/seal_run.h"

namespace midcom {

class EndpointService final : public BodyService {
public:
  using WallClock = DisclosureService::WallClock;
  using Random = std::function<void(std::uint8_t* bytes, std::size_t size)>;

  // References must outlive it.
  EndpointService(const AgentConfig& config, const PeerDirectory& peers, OpenerClient& openers,
                  EventLog& log, const WallClock& wall_clock, Random random);

  void on_opener_up(sip::TimePoint now) { certificates_.on_opener_up(now); }

  [[nodiscard]] std::optional<Disclosure> read(const sip::MessagePtr& message, const Sender& sender,
                                               Then then, sip::TimePoint now) override;
  [[nodiscard]] bool mends(const Refusal& refusal, const Then& then, sip::TimePoint now) override;
  [[nodiscard]] bool ends_unreadable_answers() const override { return true; }
  [[nodiscard]] Offer offer_to(const sip::Message& request) const override;
  [[nodiscard]] std::string announced_policy(PeerIndex) const override { return {}; }

  static constexpr int most_attempts = 3; // of one request

private:
  struct Sealing {
    sip::MessagePtr message;
    SealRun run;
    std::string pair, repeat_key;
    std::size_t middles;
    Then then;
  };
  // A certificate that a refusal offers, and what it would have to be for.
  struct Proposal {
    sip::MessagePtr request;
    int status;
    std::string user, far; // addresses of record
    std::string next_hop;  // TLS name
    Then then;
  };

  [[nodiscard]] bool is_user(std::string_view address) const;
  [[nodiscard]] std::string recipient_of(const sip::Message& message, const Sender& sender,
                                         const EndpointDialog& dialog) const;
  [[nodiscard]] std::string signer_of(const sip::Message& message,
                                      const EndpointDialog* dialog) const;
  [[nodiscard]] SealTerms terms_for(const sip::Message& message, const std::string& user,
                                    const EndpointDialog& dialog) const;

  [[nodiscard]] bool stays_plain(const sip::Message& message, const EndpointDialog* dialog) const;
  [[nodiscard]] std::optional<Disclosure> seal(const sip::MessagePtr& message, Then then,
                                               sip::TimePoint now);
  // At once only when no opener has to be asked: it fails.
  [[nodiscard]] std::optional<Disclosure> start(const sip::MessagePtr& message,
                                                const std::string& user, std::string repeat_key,
                                                Then then, sip::TimePoint now);
  void ask(const std::shared_ptr<Sealing>& sealing, opener::Seal question, sip::TimePoint now);
  void go_on(const std::shared_ptr<Sealing>& sealing, sip::TimePoint now);
  [[nodiscard]] Disclosure finish(Sealing& sealing, sip::TimePoint now);
  [[nodiscard]] std::optional<Rewritten> recall(const std::string& key, sip::TimePoint now);

  [[nodiscard]] std::optional<Disclosure> open(const sip::MessagePtr& message, const Sender& sender,
                                               Then then, sip::TimePoint now);
  [[nodiscard]] Disclosure take_opened(const sip::MessagePtr& message, Disclosure body,
                                       sip::TimePoint now);

  void take_checked(const Proposal& proposal, const opener::CheckedCertificate* answer,
                    sip::TimePoint now);
  [[nodiscard]] std::string_view
  fault_of(const Proposal& proposal, const opener::CheckedCertificate& answer, sip::TimePoint now);
  [[nodiscard]] bool takes_middle(const Proposal& proposal, std::string_view name) const;
  [[nodiscard]] bool add_middle_for(const Proposal& proposal, const Middle& middle,
                                    sip::TimePoint now);

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  OpenerClient& openers_;
  EventLog& log_;
  WallClock wall_clock_;
  Random random_;
  DisclosureService reader_;
  EndpointCertificates certificates_;
  EndpointDialogs dialogs_;
  // What left lately, so that its repetition is the same again (2xx and their ACKs over UDP).
  std::unordered_map<std::string, Rewritten> sent_;
  std::deque<std::pair<sip::TimePoint, std::string>> sent_order_;
};

} // namespace midcom
