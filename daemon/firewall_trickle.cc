// SPDX-License-Identifier: GPL-3.0-or-later
// ICE candidates that follow their description in INFO requests of its dialog (RFC 8840).
#include <algorithm>

#include "daemon/call_log.h"
#include "daemon/firewall.h"
#include "sip/content_fields.h"
#include "sip/trickle_ice.h"

namespace midcom {
namespace {

// Each repeats what those before it of its generation had, so that the last few have it all. While
// ICE begins again there are two generations, of which the first carries the media; or three, when
// it begins anew.
constexpr std::size_t fragments_kept = 12, fragments_of_generation = 4;

using Fragments = std::vector<sip::TrickleFragmentPtr>;

bool is_same_generation(const sip::TrickleFragment& one, const sip::TrickleFragment& other) {
  if (one.media().size() != other.media().size()) return false;
  for (std::size_t i = 0; i < one.media().size(); ++i)
    if (one.ice_ufrag_of(i) != other.ice_ufrag_of(i)) return false;
  return true;
}

void remember(Fragments& fragments, const sip::TrickleFragmentPtr& fragment) {
  const auto is_its = [&](const auto& one) { return is_same_generation(*one, *fragment); };
  if (std::ranges::count_if(fragments, is_its) >= std::ptrdiff_t{fragments_of_generation})
    fragments.erase(std::ranges::find_if(fragments, is_its));
  else if (fragments.size() >= fragments_kept)
    fragments.erase(fragments.begin());
  fragments.push_back(fragment);
}

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
  remember(is_from_caller ? leg.trickled.caller : leg.trickled.callee, *fragment);
  if (leg.is_ended) return {};
  leg.is_behind = !pinholes_.is_up();
  if (leg.is_behind) return {};
  call->commit_failure = Reason::none;
  apply(call, leg, now);
  return verdict_of(call);
}

} // namespace midcom
