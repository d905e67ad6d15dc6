// SPDX-License-Identifier: GPL-3.0-or-later
// What the agent knows of one call: everything under one Call-ID and caller's tag, over all its
// passes through this gateway. A *pass* is one server transaction; a call that goes to a registrar
// and comes back (a spiral) has two for each request. A *leg* is one (early) dialog, by the
// callee's tag.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/belief.h"
#include "daemon/farewell.h"
#include "daemon/flow_table.h"
#include "daemon/media_facts.h"
#include "daemon/pinholes.h"
#include "daemon/session_timer.h"
#include "pinhole/request.h"
#include "sip/media_plan.h"
#include "sip/message.h"
#include "sip/offer_answer.h"

namespace midcom {

// One of the two participants, as first seen where its own messages enter.
struct PartyRecord {
  bool is_known = false;
  FlowId flow = 0;
  std::optional<sip::Endpoint> datagram; // over UDP: a flow of that address is the same one
  PeerIndex peer = no_peer;
  std::string contact;             // From or To URI, for the log
  std::vector<std::string> strong; // identities proved by then
  std::string network;
  pinhole::Participant hashed;
};

// The ACK that shows that an answer in a 2xx has arrived.
struct AwaitedAck {
  sip::Party from;
  std::uint32_t cseq;
  bool operator==(const AwaitedAck&) const = default;
};

// A rule of before a port change, which stays a while.
struct KeptRule {
  pinhole::Rule rule;
  sip::TimePoint until;
  std::optional<AwaitedAck> awaits; // not seen yet: afterwards it is less
};

// The session of before an ICE restart: its pairs carry the media, and its candidates are checked
// together with the new ones, until new pairs are found (RFC 8445 2.4, RFC 8839 4.4.1.1.1).
struct ReplacedSession {
  sip::SessionPair pair;
  sip::TimePoint until;
  std::optional<AwaitedAck> awaits;
};

// A rule that the gate has made of a sink. It is wanted as long as that sink is, with that promise.
struct AdmittedRule {
  pinhole::Rule rule;
  pinhole::Sink sink;
  pinhole::Promise promise;
  // Between the candidates of a session and those of before its ICE restart: of the grace time it
  // is wanted beyond as long as one of its ends is, for it may carry the media.
  bool is_crossed = false;
};

// How it is known whose a leg is.
enum class Proof : std::uint8_t {
  none, // not at all: a request has named it, and the kernel has nothing of it or wasn't asked yet
  invite, // a response to an INVITE that this agent forwarded has named it: Call::caller and callee
  group,  // its group in the kernel names them: owners
};

// What the kernel has of a leg that a request named first.
enum class Inquiry : std::uint8_t { due, made, failed, answered };

struct Leg {
  std::uint64_t id = 0; // no other leg of this agent ever had it
  std::string tag;      // callee's
  Proof proof = Proof::none;
  Inquiry inquiry = Inquiry::due;
  sip::OfferAnswer exchange;
  SessionTimer session;
  sip::TrickledCandidates trickled; // of the descriptions in force, and of an open offer
  pinhole::GroupId group{};
  PartyRecord caller, callee;       // of an attempt: who makes it; of proof invite: the callee
  pinhole::Participants owners{};   // of proof group
  std::set<PeerIndex> carriers;     // trunks that a participant's request was sent to ...
  std::deque<std::string> branches; // ... and, of an attempt, with which branches
  std::string signer; // who signed the callee's first signed answer: signs its later messages too
  std::optional<Farewell> farewell;   // how to end it, where the policy may ask for that
  bool is_unacceptable = false;       // ends when the ACK has passed
  Pinholes open;                      // last asked for; what the middlebox has or is about to have
  std::vector<AdmittedRule> admitted; // they are among `open`
  // What the kernel had for a dialog of before this agent: in force until an exchange is agreed.
  std::vector<pinhole::Rule> adopted;
  bool may_have_sinks = false;     // ... and sinks, of which nothing is known
  std::chrono::seconds lifetime{}; // last asked for with `open`; 0: never
  sip::TimePoint expires{};        // ... and when that is over; 0: to be asked for again
  std::set<pinhole::Endpoint> caller_endpoints; // tells directions of counters apart
  bool is_behind = false; // what it needs was not asked for, or failed: once the middlebox is back
  bool is_confirmed = false;
  bool is_ended = false;
  bool has_lost = false;                   // ended because another branch answered
  bool has_reached_caller = false;         // its 2xx has left on the pass the INVITE entered by
  std::vector<KeptRule> kept;              // they are among `open`
  std::optional<ReplacedSession> replaced; // what it needs is among `open`
  // Of `exchange`, when `open` was last made of it.
  std::optional<sip::SessionPair> agreed, in_force;
  std::optional<AwaitedAck> awaits_ack; // until then the offerer may lack the answer
  // Flows whose first packet has passed: source and destination.
  std::set<std::pair<pinhole::Endpoint, pinhole::Endpoint>> heard;
  MediaFacts media;
};

// A description that was judged once; later passes of the same bytes are recognised by it.
struct SeenDescription {
  std::string sender_tag;
  std::uint32_t cseq;
  sip::SdpPtr sdp;
  Judgement judgement;
};

struct Call {
  std::string call_id;
  std::string caller_tag;
  PartyRecord caller;
  std::map<std::string, Leg, std::less<>> legs;
  // Exchanges in a leg that is nobody's: one for each who tries. The first that makes rules becomes
  // the leg.
  std::multimap<std::string, Leg, std::less<>> attempts;
  sip::OfferAnswer before_legs; // state of the INVITE until a response names a leg
  // Its offer's receive addresses while it has no final answer: a group of no callee.
  std::optional<Leg> offer;
  std::vector<SeenDescription> seen;
  std::set<PeerIndex> carriers;     // trunks the call came from or was sent to
  std::deque<std::string> branches; // of what its participants have sent: who shows one has got it
                                    // from us
  std::optional<std::uint32_t> invite_cseq; // of the initial INVITE last seen, if it went on
  bool is_orphan = false;                   // its INVITE wasn't seen: no caller is known
  bool has_failed = false; // the INVITE got its final failure: nothing late opens anything
  bool is_answered = false;
  bool is_ended = false;            // call.end is logged
  Reason end_reason = Reason::none; // why it is about to end
  PeerIndex counted_peer = no_peer; // INVITE was admitted: counts in this peer's limit
  std::size_t reserved_rules = 0;   // of the table, until the legs' own rules are known
  sip::TimePoint started, answered;

  // Messages of this call wait here, in order, while the middlebox has not acknowledged.
  std::size_t awaiting = 0;
  Reason commit_failure = Reason::none;
  std::function<void(Reason, sip::TimePoint)> waiter;
  std::deque<std::function<void(sip::TimePoint)>> deferred;
  bool is_draining = false;
  bool has_lacked_room = false; // it was logged that sinks are left out

  std::size_t transactions = 0; // live ones that belong to this call

  [[nodiscard]] const SeenDescription* find_seen(const sip::Sdp* sdp) const;
  [[nodiscard]] bool is_over() const; // no live leg
  [[nodiscard]] bool is_offer(const Leg& leg) const { return offer && &*offer == &leg; }
  // The leg (or the offer's) with this tag and id; null when there is none any more.
  [[nodiscard]] Leg* find_leg(std::string_view tag, std::uint64_t id);
  // Is the request one that this gateway has sent before?
  [[nodiscard]] bool has_sent(const sip::Message& request) const;
};
using CallPtr = std::shared_ptr<Call>;

// Calls by Call-ID and caller's tag.
class CallTable {
public:
  // The call a message belongs to, in either direction; null when there is none. Where both tags
  // name a call, the one that knows the dialog, and rather one that knows whose it is.
  [[nodiscard]] CallPtr find(const sip::Message& message) const;
  [[nodiscard]] CallPtr create(std::string_view call_id, std::string_view caller_tag,
                               sip::TimePoint now);
  void erase(const Call& call);
  // Is it a proved leg already, of this call or of one the other way round?
  [[nodiscard]] bool has_proved(std::string_view call_id, std::string_view caller_tag,
                                std::string_view tag) const;
  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  [[nodiscard]] const std::unordered_map<std::string, CallPtr>& all() const { return calls_; }

private:
  std::unordered_map<std::string, CallPtr> calls_;
};

} // namespace midcom
