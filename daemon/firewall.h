// SPDX-License-Identifier: GPL-3.0-or-later
// The firewall service (RFC 4189 2.2): follows offer/answer of every call that passes, decides who
// may change or close what, and turns agreed sessions into policy rules. Called by the proxy for
// each message that is about to leave; what it returns is binding. Calls and responses are in
// firewall.cc, who may do what inside a dialog in firewall_dialogs.cc, rules in firewall_rules.cc,
// candidates that follow in firewall_trickle.cc.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/agent_config.h"
#include "daemon/call.h"
#include "daemon/call_service.h"
#include "daemon/disclosure.h"
#include "daemon/event_log.h"
#include "daemon/flow_table.h"
#include "daemon/keyed_hash.h"
#include "daemon/media_watch.h"
#include "daemon/pass.h"
#include "daemon/pinhole_client.h"
#include "daemon/pinhole_plan.h"
#include "daemon/session_deadlines.h"

namespace midcom {

struct PinnedNames; // media_names.h

class Firewall final : public CallService {
public:
  Firewall(const AgentConfig& config, const PeerDirectory& peers, const KeyedSecrets& secrets,
           MiddleboxPort& middlebox, EventLog& log, PinholeClient::Resume resume);

  [[nodiscard]] CallPtr call_of(const sip::Message& message) const override {
    return calls_.find(message);
  }

  // A new request, before it is forwarded; `body` is what can be read of it. Fills `pass`.
  [[nodiscard]] Verdict on_request(const sip::Message& request, const Disclosure& body,
                                   const FlowEntry& from, Pass& pass, sip::TimePoint now) override;
  // A response (not 100) to a request with this pass, before it is forwarded.
  [[nodiscard]] Verdict on_response(const Pass& pass, const sip::Message& request,
                                    const sip::Message& response, const Disclosure& body,
                                    const FlowEntry& from, sip::TimePoint now) override;
  // Before a body is read: may `from` act in the dialog the request names, as far as is known?
  // False only where on_request() refuses. True outside of dialogs.
  [[nodiscard]] bool may_belong(const sip::Message& request, const FlowEntry& from) const override;
  // Who signed what the sender of this message sent earlier in its dialog; empty: nobody did.
  [[nodiscard]] std::string_view pinned_signer(const sip::Message& message) const override;
  // What the host names of a description are that the message's sender has sent in its call before.
  [[nodiscard]] PinnedNames pinned_names(const sip::Message& message,
                                         std::string_view description) const;
  // The request gets a final answer of our own making (refusal, time-out, lost flow).
  [[nodiscard]] Verdict on_own_answer(const Pass& pass, const sip::Message& request, int status,
                                      Reason reason, sip::TimePoint now) override;
  // It goes nowhere and gets no answer.
  void withdraw(const Pass& pass, const sip::Message& request, sip::TimePoint now) override;

  // A dialog that midcomd ends itself.
  void close(const CallPtr& call, Leg& leg, sip::TimePoint now) override {
    end_leg(call, leg, now);
  }

  // A request leaves towards `to`.
  void on_sent(const Pass& pass, const sip::Message& request, const FlowEntry& to,
               std::string_view branch) override;

  // Live transactions keep a call in the table.
  void attach(const Pass& pass) override;
  void detach(const Pass& pass, sip::TimePoint now) override;
  // After the middlebox has answered: a call whose last leg is closed has ended.
  void settle(const CallPtr& call, sip::TimePoint now) override;
  // Takes a call out of the table that nothing needs any more.
  void drop_when_done(const CallPtr& call, sip::TimePoint now) override;

  PinholeClient& pinholes() { return pinholes_; }
  void middlebox_up(std::uint32_t features, sip::TimePoint now);
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const;
  [[nodiscard]] std::size_t calls() const { return calls_.size(); }
  [[nodiscard]] const CallTable& call_table() const { return calls_; }

private:
  struct Wakeup { // the end of a leg's kept rules, or (no tag) of the whole call
    std::weak_ptr<Call> call;
    std::string tag;
  };
  struct Description { // a message's SDP after judgement
    sip::SdpPtr sdp;   // null: none
    Reason refusal = Reason::none;
  };
  [[nodiscard]] Verdict on_invite(const sip::Message& request, const Disclosure& body,
                                  const FlowEntry& from, Pass& pass, sip::TimePoint now);
  [[nodiscard]] Verdict on_dialog_request(const sip::Message& request, const Disclosure& body,
                                          const FlowEntry& from, Pass& pass, sip::TimePoint now);
  // firewall_trickle.cc
  [[nodiscard]] Verdict on_info(const sip::Message& request, const FlowEntry& from, Pass& pass,
                                sip::TimePoint now);
  [[nodiscard]] Verdict on_bye_answer(const Pass& pass, const sip::Message& request, int status,
                                      sip::TimePoint now);
  // A 2xx to what refreshes the leg's session. True when it ends at another time now.
  [[nodiscard]] bool refresh(const Pass& pass, const sip::Message& request,
                             const sip::Message& response, Leg& leg, sip::TimePoint now) const;
  void on_invite_answer(const Pass& pass, const sip::Message& request, int status,
                        std::string_view tag, sip::TimePoint now);
  [[nodiscard]] Reason admit(const Call& call, const sip::Sdp* sdp) const;
  [[nodiscard]] Description describe(Call& call, const sip::Message& message,
                                     const Disclosure& body, const FlowEntry& from);
  [[nodiscard]] Reason judge_keys(const Call& call, const PeerConfig& peer, const sip::Sdp& sdp,
                                  Judgement& judgement);
  // The offer/answer part of a request that may act on the leg.
  [[nodiscard]] Verdict on_leg_request(const sip::Message& request, const Disclosure& body,
                                       const FlowEntry& from, const CallPtr& call, Leg& leg,
                                       sip::TimePoint now);
  [[nodiscard]] Leg* leg_of_answer(const CallPtr& call, const sip::Message& request,
                                   const sip::Message& response, const Pass& pass,
                                   const FlowEntry& from, sip::TimePoint now);

  // firewall_dialogs.cc
  [[nodiscard]] CallPtr take_up(const sip::Message& request, sip::TimePoint now);
  void begin(Call& call, sip::TimePoint now);
  [[nodiscard]] Leg make_leg(const Call& call, std::string_view tag, Proof proof);
  // Null when the call has too many.
  [[nodiscard]] Leg* add_leg(Call& call, std::string_view tag, Proof proof);
  // The leg a response to the initial INVITE names; null when it can be none of this call's.
  [[nodiscard]] Leg* branch_of(const CallPtr& call, std::string_view tag, sip::TimePoint now);
  [[nodiscard]] static Leg* leg_of(const Pass& pass, std::string_view tag);
  [[nodiscard]] bool may_be_kernels(const Leg& leg) const;
  void ask(const CallPtr& call, Leg& leg, const FlowEntry& from, bool is_caller,
           sip::TimePoint now);
  // Of a leg that nothing proves; `leg` may be another one afterwards. Nothing: it goes on.
  [[nodiscard]] std::optional<Verdict> judge_unproved(const sip::Message& request,
                                                      const Disclosure& body, const FlowEntry& from,
                                                      Pass& pass, Leg*& leg, sip::TimePoint now);
  [[nodiscard]] Verdict pass_by(const sip::Message& request, const Disclosure& body,
                                const FlowEntry& from, Call& call);
  [[nodiscard]] Leg* attempt_of(const sip::Message& request, const FlowEntry& from, Call& call,
                                std::string_view tag);
  void make_room(Call& call, const FlowEntry& from) const;
  [[nodiscard]] static bool promote(Call& call, Leg& attempt);
  void demote(Call& call, Leg& leg);
  [[nodiscard]] PartyRecord record(const FlowEntry& flow, const sip::NameAddr& who) const;
  [[nodiscard]] Sender sender_of(const FlowEntry& flow, const sip::NameAddr& who) const;
  // A trunk hands on, or makes, what is the call's; not what somebody else had sent through here.
  [[nodiscard]] bool carries(const Call& call, const Leg* leg, const sip::Message& request,
                             const FlowEntry& from) const;
  [[nodiscard]] bool is_party(const PartyRecord& party, const FlowEntry& flow) const;
  [[nodiscard]] bool is_caller(const Call& call, const sip::Message& request,
                               const FlowEntry& from) const;
  [[nodiscard]] bool owns(const Leg& leg, const Sender& sender) const;
  [[nodiscard]] bool may_act(const Call& call, const Leg& leg, bool is_caller,
                             const FlowEntry& from, const Sender& sender) const;

  // firewall_rules.cc
  [[nodiscard]] PinholeClient::Hooks make_hooks(PinholeClient::Resume resume);
  [[nodiscard]] std::size_t room_for_sinks(const Leg& leg) const;
  void tell_left_out(Call& call, std::size_t left_out);
  void open_offer(const CallPtr& call, sip::TimePoint now);
  void add_admitted(Leg& leg, PinholePlan::Wanted& planned) const;
  // `holds`: the call's messages wait until the middlebox has it.
  void apply(const CallPtr& call, Leg& leg, sip::TimePoint now, bool holds = true);
  void note_restart(const CallPtr& call, Leg& leg, sip::TimePoint now);
  void end_replaced(const CallPtr& call, Leg& leg, sip::TimePoint now);
  void forget_replaced(const Call& call, Leg& leg);
  [[nodiscard]] sip::Duration grace_of(const pinhole::Rule& rule, const Pinholes& wanted) const;
  void on_ack(const CallPtr& call, Leg& leg, const AwaitedAck& ack, sip::TimePoint now);
  void keep_replaced(const CallPtr& call, Leg& leg, const Pinholes& wanted, bool is_changed,
                     sip::TimePoint now);
  void drop_kept(const CallPtr& call, Leg& leg, const std::function<bool(const KeptRule&)>& is_over,
                 sip::TimePoint now);
  void on_expired(const CallPtr& call, Leg& leg, sip::TimePoint now);
  void on_heard(const CallPtr& call, Leg& leg, sip::TimePoint now);
  void on_counted(const CallPtr& call, Leg& leg, const std::vector<pinhole::Counter>& present,
                  sip::TimePoint now);
  void forget_wakeups(const Call& call);
  void forget_wakeup(const Call& call, const std::string& tag, sip::TimePoint when);
  void end_leg(const CallPtr& call, Leg& leg, sip::TimePoint now);
  // Its users are gone.
  void give_up(const CallPtr& call, Leg& leg, Reason reason, sip::TimePoint now);
  void uncount(Call& call);
  void end_call(Call& call, Reason reason, int status, sip::TimePoint now);
  [[nodiscard]] static Verdict verdict_of(const CallPtr& call);

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  const KeyedSecrets& secrets_;
  EventLog& log_;
  CallTable calls_;
  PinholeClient pinholes_;
  PinholePlan plan_;
  MediaWatch watch_;
  SessionDeadlines sessions_;
  std::uint64_t last_leg_ = 0;
  std::size_t reserved_ = 0;
  std::size_t live_calls_ = 0;
  std::unordered_map<PeerIndex, std::size_t> calls_of_peer_;
  std::multimap<sip::TimePoint, Wakeup> wakeups_;
};

} // namespace midcom
