// SPDX-License-Identifier: GPL-3.0-or-later
// ICE candidates that follow their description in INFO requests of its dialog (RFC 8840).
#include "daemon/firewall.h"

#include "daemon/call_log.h"
#include "sip/content_fields.h"
#include "sip/trickle_ice.h"

namespace midcom {
namespace {

// Each repeats what those before it had, so that the last few have it all.
constexpr std::size_t fragments_kept = 4;

bool has_candidates(const sip::Message& request) {
  sip::MimePart part;
  return sip::read_content_fields(request.fields(), sip::FieldsOf::message, part) &&
         part.is("application", "trickle-ice-sdpfrag");
}

} // namespace

// Where the dialog isn't known, or nobody proves whose it is, the INFO goes on and means nothing.
Verdict Firewall::on_info(const sip::Message& request, const FlowEntry& from, Pass& pass,
                          sip::TimePoint now) {
  if (request.to().tag().empty() || !has_candidates(request)) return {};
  const CallPtr call = calls_.find(request);
  if (!call) return {};
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const auto found = call->legs.find(is_from_caller ? request.to().tag() : request.from().tag());
  if (found == call->legs.end() || found->second.proof == Proof::none) return {};
  Leg& leg = found->second;
  Sender sender = sender_of(from, request.from());
  sender.is_carrier = carries(*call, &leg, request, from);
  if (!may_act(*call, leg, is_from_caller, from, sender))
    return {Verdict::Kind::refuse, Reason::not_participant};
  pass.call = call;
  pass.leg = leg.id; // what is sent on is known when it comes back through a registrar
  pass.is_proved = true;
  const auto fragment = sip::TrickleFragment::parse(request.body(), config_.limits.sdp);
  if (!fragment) {
    log_.write(call_event(Level::notice, "sdp.reject", *call)
                   .add("src", from.info.remote.to_string())
                   .add("reason", word_of(Reason::sdp_syntax))
                   .add("detail", sip::to_string(fragment.error())));
    return {};
  }
  auto& fragments = is_from_caller ? leg.trickled.caller : leg.trickled.callee;
  if (fragments.size() >= fragments_kept) fragments.erase(fragments.begin());
  fragments.push_back(*fragment);
  if (leg.is_ended) return {};
  leg.is_behind = !pinholes_.is_up();
  if (leg.is_behind) return {};
  call->commit_failure = Reason::none;
  apply(call, leg, now);
  return verdict_of(call);
}

} // namespace midcom
