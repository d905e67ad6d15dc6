// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/needs.h"

#include <algorithm>
#include <map>

namespace midcom::firewall_test {

namespace {

using pinhole::Endpoint;
using pinhole::Promise;
using pinhole::Sink;
using Opens = Candidate::Opens;

constexpr std::uint8_t tcp = 6, udp = 17;

// Port 9 of a stream with ICE says that candidates follow (RFC 8840 4.1.1).
bool is_held(const Stream& stream) {
  return stream.is_held || (stream.has_ice() && stream.rtp.at.port == 9);
}

// RFC 3605: a=rtcp, or the next port.
Place rtcp_of(const Stream& stream) {
  if (stream.rtcp) return *stream.rtcp;
  Place place = stream.rtp;
  ++place.at.port;
  return place;
}

std::vector<Candidate> candidates_of(const View& view, std::size_t index) {
  const Stream& stream = view.description->streams[index];
  std::vector<Candidate> all = stream.candidates;
  if (view.fragments == nullptr || !stream.has_ice()) return all;
  for (const Fragment& fragment : *view.fragments)
    for (const auto& section : fragment.sections)
      if (section.stream == index && section.mid == stream.mid && section.ufrag == stream.ufrag)
        all.insert(all.end(), section.candidates.begin(), section.candidates.end());
  return all;
}

// What one party may get on one component of a path.
struct Load {
  bool has_rtp = false, has_rtcp = false, has_dtls = false, has_udptl = false;
  std::set<int> payload_types;
};

void load_promise(Promise& promise, const Load& load, int component, bool is_muxed) {
  unsigned kinds = promise.kinds;
  const bool is_first = component == 1;
  if (load.has_dtls) kinds |= pinhole::kind_dtls;
  if (load.has_rtp && is_first) kinds |= pinhole::kind_rtp;
  if (load.has_rtcp && (!is_first || is_muxed)) kinds |= pinhole::kind_rtcp;
  if (load.has_udptl && is_first) kinds |= pinhole::kind_udptl;
  promise.kinds = static_cast<std::uint8_t>(kinds);
  if (load.has_rtp && is_first)
    for (const int type : load.payload_types)
      promise.payload_types[static_cast<std::size_t>(type / 8)] |=
          static_cast<std::uint8_t>(1U << type % 8);
}

void add_load(Load& load, const Stream& receiver, const Stream* sender, bool has_ice) {
  const auto& facts = receiver.facts();
  // With ICE the path stays alive whatever the directions are (RFC 7675).
  const bool is_on = has_ice || (receiver.receives && (sender == nullptr || sender->sends));
  load.has_rtcp |= facts.is_rtp;
  load.has_rtp |= facts.is_rtp && is_on;
  load.has_dtls |= facts.is_dtls && (sender == nullptr || sender->facts().is_dtls);
  load.has_udptl |= receiver.kind == Kind::fax && is_on;
  if (facts.is_rtp)
    load.payload_types.insert(receiver.payload_types.begin(), receiver.payload_types.end());
}

bool is_counterpart(Opens one, Opens other) {
  if (one == Opens::passively) return other == Opens::actively;
  return one != Opens::actively && one == other;
}

std::vector<Endpoint> senders_to(const Candidate& candidate, const std::vector<Candidate>& others) {
  std::set<Endpoint> all;
  for (const Candidate& other : others) {
    Endpoint at = other.place.at;
    if (other.opens == Opens::actively) at.port = 0; // from any port (RFC 6544 4.5)
    if (other.component == candidate.component && is_counterpart(candidate.opens, other.opens) &&
        at.address.family == candidate.place.at.address.family && !other.place.is_denied)
      all.insert(at);
  }
  return {all.begin(), all.end()};
}

bool has_sender(const Promise& promise) {
  return promise.awaits_answer || !promise.senders.empty() ||
         (promise.source == pinhole::SourceRule::any_verified &&
          (promise.kinds & pinhole::kind_stun) != 0);
}

// Waits of one set: an address is waited at once, for all that may come there. It is the first
// stream's that names it, and isn't waited at where that is denied.
class Waits {
public:
  void add(const Sink& sink, const Promise& promise, bool is_denied = false) {
    const std::tuple address{sink.is_a, sink.protocol, sink.at};
    const auto [place, is_new] = all_.emplace(address, Needs::Wait{sink, promise});
    if (is_new && is_denied) denied_.insert(address);
    Promise& known = place->second.promise;
    if (is_new || known.receiver_ufrag != promise.receiver_ufrag ||
        known.sender_ufrag != promise.sender_ufrag)
      return;
    known.kinds |= promise.kinds;
    for (std::size_t i = 0; i < known.payload_types.size(); ++i)
      known.payload_types[i] |= promise.payload_types[i];
    std::set<Endpoint> senders(known.senders.begin(), known.senders.end());
    senders.insert(promise.senders.begin(), promise.senders.end());
    known.senders = {senders.begin(), senders.end()};
  }
  void move_to(Needs& needs) const {
    for (const auto& [address, wait] : all_)
      if (!denied_.contains(address) && has_sender(wait.promise)) needs.waits.insert(wait);
  }

private:
  using Address = std::tuple<bool, std::uint8_t, Endpoint>;
  std::map<Address, Needs::Wait> all_;
  std::set<Address> denied_;
};

class PairNeeds {
public:
  PairNeeds(const View& caller, const View& callee, Party offerer, const Terms& terms)
      : views_{caller, callee}, offerer_(offerer), terms_(terms) {}

  Needs find() {
    const auto count =
        std::min(views_[0].description->streams.size(), views_[1].description->streams.size());
    for (std::size_t i = 0; i < count; ++i) carriers_.push_back(i);
    share_paths();
    std::vector<std::size_t> paths;
    for (std::size_t i = 0; i < count; ++i)
      if (carriers_[i] == i && is_there(i) && is_alike(i)) paths.push_back(i);
    // Where streams claim one address checks come first.
    for (const std::size_t path : paths)
      if (has_ice(path))
        for (const Party party : {Party::caller, Party::callee}) wait_for_checks(path, party);
    for (const std::size_t path : paths) open_path(path);
    if (terms_.has_gate) waits_.move_to(needs_);
    return std::move(needs_);
  }

private:
  [[nodiscard]] const Stream& at(Party party, std::size_t i) const {
    return views_[party == Party::caller ? 0 : 1].description->streams[i];
  }
  [[nodiscard]] const Stream& offered(std::size_t i) const { return at(offerer_, i); }
  [[nodiscard]] const Stream& answered(std::size_t i) const { return at(sip::other(offerer_), i); }
  [[nodiscard]] bool is_there(std::size_t i) const {
    return !offered(i).is_zero && !answered(i).is_zero;
  }
  [[nodiscard]] bool is_alike(std::size_t i) const {
    const auto kind_of = [](const Stream& stream) {
      return std::tuple{stream.facts().is_tcp, stream.facts().is_rtp, stream.kind == Kind::fax};
    };
    return kind_of(offered(i)) == kind_of(answered(i));
  }
  [[nodiscard]] bool has_ice(std::size_t i) const {
    return offered(i).has_ice() && answered(i).has_ice();
  }

  // RFC 8843: the streams of an answer's bundle that were offered in one bundle go the way of the
  // first. One that is there for its bundle alone was offered with port 0.
  void share_paths() {
    const Description& offer = *views_[offerer_ == Party::caller ? 0 : 1].description;
    const Description& answer = *views_[offerer_ == Party::caller ? 1 : 0].description;
    for (const auto& bundle : answer.bundles) {
      const std::vector<std::string>* asked = nullptr;
      std::optional<std::size_t> first;
      for (const std::string& mid : bundle)
        for (std::size_t i = 0; i < carriers_.size(); ++i) {
          if (answer.streams[i].mid != mid || offer.streams[i].mid != mid) continue;
          const bool is_offered = !offer.streams[i].is_zero || offer.streams[i].is_bundle_only;
          if (!is_offered || answer.streams[i].is_zero) continue;
          const auto its = std::ranges::find_if(offer.bundles, [&](const auto& one) {
            return std::ranges::find(one, mid) != one.end();
          });
          if (its == offer.bundles.end() || (asked != nullptr && asked != &*its)) continue;
          if (!first && offer.streams[i].is_zero) continue;
          asked = &*its;
          if (!first) first = i;
          carriers_[i] = *first;
        }
    }
  }

  [[nodiscard]] std::vector<std::size_t> riders(std::size_t carrier) const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < carriers_.size(); ++i)
      if (carriers_[i] == carrier && is_alike(i)) all.push_back(i);
    return all;
  }

  [[nodiscard]] bool is_muxed(std::size_t path) const {
    if (offered(path).facts().is_rtp) return offered(path).has_mux && answered(path).has_mux;
    return std::ranges::any_of(riders(path), [&](auto i) { return offered(i).facts().is_rtp; });
  }

  [[nodiscard]] Load load_to(Party receiver, std::size_t path) const {
    Load load;
    for (const std::size_t i : riders(path))
      add_load(load, at(receiver, i), &at(sip::other(receiver), i), has_ice(path));
    return load;
  }

  void open_path(std::size_t path) {
    const bool is_muxed_path = is_muxed(path);
    const bool has_rtcp_path = offered(path).facts().is_rtp && !is_muxed_path;
    const bool is_tcp = offered(path).facts().is_tcp;
    if (is_tcp && offered(path).keeps_connection && answered(path).keeps_connection)
      needs_.kept_connections.insert(static_cast<std::uint16_t>(path));
    if (is_held(offered(path)) || is_held(answered(path))) return;
    if (offered(path).rtp.at.address.family != answered(path).rtp.at.address.family) return;
    if (is_tcp) return wait_for_connection(path);
    open_flow(path, 1, is_muxed_path);
    if (has_rtcp_path) open_flow(path, 2, is_muxed_path);
  }

  void wait_for_checks(std::size_t path, Party receiver) {
    const bool is_muxed_path = is_muxed(path);
    const bool has_rtcp_path = offered(path).facts().is_rtp && !is_muxed_path;
    const Stream& here = at(receiver, path);
    const Stream& there = at(sip::other(receiver), path);
    const auto own = candidates_of(views_[receiver == Party::caller ? 0 : 1], path);
    const auto others = candidates_of(views_[receiver == Party::caller ? 1 : 0], path);
    for (const Candidate& candidate : own) {
      if (candidate.opens == Opens::actively) continue;
      if (candidate.component == 2 && !has_rtcp_path) continue;
      Promise promise;
      promise.source = terms_.source;
      promise.senders = senders_to(candidate, others);
      bool is_off = candidate.place.is_denied;
      if (candidate.is_tcp()) {
        if (promise.senders.empty()) continue;
        // Fail closed: a connection shows nothing, so that the stream's own addresses count too.
        is_off = is_off || !takes_tcp(receiver) || is_denied(here) || is_denied(there);
        promise.kinds = pinhole::kind_tcp;
      } else {
        promise.kinds = pinhole::kind_stun;
        promise.receiver_ufrag = here.ufrag;
        promise.receiver_password = here.password;
        promise.sender_ufrag = there.ufrag;
        load_promise(promise, load_to(receiver, path), candidate.component, is_muxed_path);
      }
      waits_.add(sink_at(path, candidate.component, candidate.is_tcp(), candidate.place, receiver),
                 promise, is_off);
    }
  }

  // RFC 4145 4.1: who is passive is connected to.
  void wait_for_connection(std::size_t path) {
    const Setup asked = offered(path).setup == Setup::unsaid ? Setup::active : offered(path).setup;
    const Setup got = answered(path).setup == Setup::unsaid ? Setup::passive : answered(path).setup;
    const bool to_answerer =
        got == Setup::passive && (asked == Setup::active || asked == Setup::actpass);
    const bool to_offerer =
        got == Setup::active && (asked == Setup::passive || asked == Setup::actpass);
    if (!to_answerer && !to_offerer) return;
    const Party receiver = to_offerer ? offerer_ : sip::other(offerer_);
    const Stream& here = at(receiver, path);
    const Stream& there = at(sip::other(receiver), path);
    if (here.rtp.at.port == 9 || !takes_tcp(receiver) || is_denied(here) || is_denied(there))
      return;
    Promise promise;
    promise.kinds = pinhole::kind_tcp;
    promise.source = terms_.source;
    promise.senders = {{there.rtp.at.address, 0}};
    waits_.add(sink_at(path, 1, true, here.rtp, receiver), promise);
  }

  void open_flow(std::size_t path, int component, bool is_muxed_path) {
    const bool is_off = is_denied(offered(path)) || is_denied(answered(path));
    for (const Party receiver : {Party::caller, Party::callee}) {
      const Party sender = sip::other(receiver);
      if (component == 1 && !is_open_to(path, receiver, is_muxed_path)) continue;
      const Place to = component == 1 ? at(receiver, path).rtp : rtcp_of(at(receiver, path));
      const Place from = component == 1 ? at(sender, path).rtp : rtcp_of(at(sender, path));
      if (to.at.address.family != from.at.address.family) continue;
      add_flow({static_cast<std::uint16_t>(path),
                static_cast<std::uint8_t>(component),
                {from.at, to.at, udp}},
               is_off);
      if (!has_ice(path)) wait_beside_flow(path, component, is_muxed_path, receiver, from, to);
    }
  }

  // Between the same two ends it is one flow, of the stream named first; closed where that is
  // denied.
  void add_flow(const Needs::Flow& flow, bool is_off) {
    const auto& [source, destination, protocol] = flow.key;
    const auto& first =
        flows_.emplace(std::minmax(source, destination), std::pair{flow, is_off}).first->second;
    if (!first.second) needs_.flows.insert({first.first.stream, first.first.component, flow.key});
  }

  // Who is behind a NAT has another port or address than it says.
  void wait_beside_flow(std::size_t path, int component, bool is_muxed_path, Party receiver,
                        const Place& from, const Place& to) {
    if (terms_.source == pinhole::SourceRule::signalled) return;
    Promise promise;
    promise.source = terms_.source;
    if (!from.is_denied) promise.senders = {from.at};
    promise.session =
        static_cast<std::uint32_t>(views_[0].description->version + views_[1].description->version);
    load_promise(promise, load_to(receiver, path), component, is_muxed_path);
    const bool is_off = is_denied(offered(path)) || is_denied(answered(path));
    if (promise.kinds != 0)
      waits_.add(sink_at(path, component, false, to, receiver), promise, is_off);
  }

  // RTP goes where both say so; whatever has a handshake or RTCP in it goes both ways.
  [[nodiscard]] bool is_open_to(std::size_t path, Party receiver, bool is_muxed_path) const {
    if (is_muxed_path) return true;
    return std::ranges::any_of(riders(path), [&](std::size_t i) {
      const Stream& here = at(receiver, i);
      const Stream& there = at(sip::other(receiver), i);
      const auto is_inactive = [](const Stream& s) { return !s.sends && !s.receives; };
      const bool is_off = is_inactive(here) || is_inactive(there);
      const bool shakes_hands = !is_off && (here.facts().is_dtls || there.facts().is_dtls);
      return has_ice(i) || shakes_hands || (there.sends && here.receives);
    });
  }

  [[nodiscard]] static Sink sink_at(std::size_t path, int component, bool is_tcp,
                                    const Place& place, Party receiver) {
    return {static_cast<std::uint16_t>(path),
            static_cast<std::uint8_t>(component),
            is_tcp ? tcp : udp,
            place.at,
            receiver == Party::caller,
            0};
  }
  [[nodiscard]] bool takes_tcp(Party party) const {
    return party == Party::caller ? terms_.caller_takes_tcp : terms_.callee_takes_tcp;
  }

  const View views_[2];
  const Party offerer_;
  const Terms& terms_;
  std::vector<std::size_t> carriers_;
  std::map<std::pair<Endpoint, Endpoint>, std::pair<Needs::Flow, bool>> flows_;
  Waits waits_;
  Needs needs_;
};

// An offer's stream with what may share its path.
std::vector<const Stream*> may_carry(const Description& offer, const Stream& stream) {
  std::vector<const Stream*> all{&stream};
  for (const auto& bundle : offer.bundles) {
    if (stream.mid.empty() || std::ranges::find(bundle, stream.mid) == bundle.end()) continue;
    for (const Stream& other : offer.streams)
      if (&other != &stream && (!other.is_zero || other.is_bundle_only) &&
          std::ranges::find(bundle, other.mid) != bundle.end())
        all.push_back(&other);
  }
  return all;
}

} // namespace

void Needs::add(const Needs& more) {
  flows.insert(more.flows.begin(), more.flows.end());
  waits.insert(more.waits.begin(), more.waits.end());
  kept_connections.insert(more.kept_connections.begin(), more.kept_connections.end());
}

bool Needs::has_component(std::uint16_t stream, std::uint8_t component) const {
  return has_checks(stream, component) ||
         std::ranges::any_of(flows,
                             [&](const Flow& flow) {
                               return flow.stream == stream && flow.component == component;
                             }) ||
         std::ranges::any_of(waits, [&](const Wait& wait) {
           return wait.sink.stream == stream && wait.sink.component == component;
         });
}

bool Needs::has_checks(std::uint16_t stream, std::uint8_t component) const {
  return std::ranges::any_of(waits, [&](const Wait& wait) {
    return wait.sink.stream == stream && wait.sink.component == component &&
           (wait.promise.kinds & pinhole::kind_stun) != 0;
  });
}

bool is_denied(const Stream& stream) {
  if (stream.is_zero || is_held(stream)) return false;
  if (stream.rtp.at.port == 9 && !stream.facts().is_tcp) return true; // no port for media
  return stream.rtp.is_denied || (stream.facts().is_rtp && rtcp_of(stream).is_denied);
}

bool is_refused(const Description& description) {
  return std::ranges::any_of(description.streams, [](const Stream& stream) {
    return !stream.has_ice() && is_denied(stream);
  });
}

Needs needs_of_pair(const View& caller, const View& callee, Party offerer, const Terms& terms) {
  return PairNeeds(caller, callee, offerer, terms).find();
}

// RFC 3264 5.1: who offers is ready to receive at once.
Needs needs_of_offer(const View& offer, const Terms& terms) {
  Needs needs;
  if (!terms.has_gate || !terms.has_early) return needs;
  const Description& description = *offer.description;
  const bool is_caller = description.owner == Party::caller;
  const bool takes_tcp = is_caller ? terms.caller_takes_tcp : terms.callee_takes_tcp;
  Waits waits;
  for (std::size_t index = 0; index < description.streams.size(); ++index) {
    const Stream& stream = description.streams[index];
    if (stream.is_zero) continue;
    Load load;
    bool is_muxed = false;
    for (const Stream* one : may_carry(description, stream)) {
      add_load(load, *one, nullptr, stream.has_ice());
      is_muxed |= one->facts().is_rtp && (one->has_mux || one != &stream);
    }
    const auto wait = [&](int component, bool is_tcp, const Place& place, bool is_checked) {
      if (place.is_denied || (!is_checked && is_denied(stream)) || (is_tcp && !takes_tcp)) return;
      Promise promise;
      promise.awaits_answer = true;
      if (is_tcp) promise.kinds = pinhole::kind_tcp;
      if (is_checked) {
        promise.kinds = pinhole::kind_stun;
        promise.receiver_ufrag = stream.ufrag;
        promise.receiver_password = stream.password;
      }
      if (!is_tcp) load_promise(promise, load, component, is_muxed);
      if (promise.kinds == 0) return;
      waits.add({static_cast<std::uint16_t>(index), static_cast<std::uint8_t>(component),
                 is_tcp ? tcp : udp, place.at, is_caller, 0},
                promise);
    };
    const bool is_rtp = stream.facts().is_rtp;
    if (stream.has_ice())
      for (const Candidate& candidate : candidates_of(offer, index))
        if (candidate.opens != Opens::actively && (candidate.component == 1 || is_rtp))
          wait(candidate.component, candidate.is_tcp(), candidate.place, !candidate.is_tcp());
    if (is_held(stream)) continue;
    if (stream.facts().is_tcp) {
      const bool may_be_passive = stream.setup == Setup::passive || stream.setup == Setup::actpass;
      if (may_be_passive && stream.rtp.at.port != 9) wait(1, true, stream.rtp, false);
      continue;
    }
    // An inactive stream has no RTP, but whatever shares its port goes on.
    if (stream.sends || stream.receives || stream.has_ice() || is_muxed)
      wait(1, false, stream.rtp, stream.has_ice());
    if (is_rtp) wait(2, false, rtcp_of(stream), stream.has_ice());
  }
  waits.move_to(needs);
  return needs;
}

} // namespace midcom::firewall_test
