// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_sinks.h"

#include <algorithm>

namespace midcom::sip {

namespace {

MediaSink sink_at(const StreamEnds& ends, Component component, MediaTransport transport,
                  const Endpoint& at) {
  MediaSink sink;
  sink.stream = ends.stream;
  sink.component = component;
  sink.transport = transport;
  sink.receiver = ends.receiver;
  sink.at = at;
  sink.awaits_answer = ends.there == nullptr;
  return sink;
}

// Datagrams; a connection shows nothing of what it will carry.
void set_kinds(MediaSink& sink, const StreamEnds& ends) {
  const Carried& carried = ends.carried;
  const bool is_rtp_path = sink.component == Component::rtp;
  sink.has_dtls = carried.dtls;
  sink.has_rtp = is_rtp_path && carried.rtp;
  sink.has_rtcp = carried.rtcp && (!is_rtp_path || ends.is_muxed);
  sink.has_udptl = is_rtp_path && carried.udptl;
  if (sink.has_rtp) sink.payload_types = carried.payload_types;
}

bool has_kinds(const MediaSink& sink) {
  return sink.has_stun || sink.has_dtls || sink.has_rtp || sink.has_rtcp || sink.has_udptl;
}

void set_credentials(MediaSink& sink, const StreamEnds& ends) {
  sink.has_stun = true;
  sink.receiver_ufrag = ends.here.ufrag();
  sink.receiver_password = ends.here.password();
  if (ends.there != nullptr) sink.sender_ufrag = ends.there->ufrag();
}

// RFC 6544 7.2: which candidates connect to one of that type.
TcpType opposite(TcpType type) {
  return type == TcpType::passive ? TcpType::active : type;
}

std::vector<Endpoint> senders_to(const MediaCandidate& candidate, const MediaSide* there) {
  std::vector<Endpoint> senders;
  if (there == nullptr) return senders;
  for (const MediaCandidate& one : there->candidates()) {
    if (one.component != candidate.component || one.transport != candidate.transport ||
        one.tcp_type != opposite(candidate.tcp_type) ||
        one.at.address.family != candidate.at.address.family)
      continue;
    if (senders.size() < max_media_senders) senders.push_back(one.at);
  }
  return senders;
}

} // namespace

void Carried::add(const Carried& more) {
  dtls = dtls || more.dtls;
  rtp = rtp || more.rtp;
  rtcp = rtcp || more.rtcp;
  udptl = udptl || more.udptl;
  payload_types |= more.payload_types;
}

// With ICE the path stays in use whatever the direction is (RFC 7675), and so does the promise: a
// hold must not take back what the gate has admitted.
Carried carried_to(const MediaSide& receiver, const MediaSide* sender, bool has_ice) {
  Carried carried;
  const bool is_received =
      has_ice || (receiver.is_receiving() && (sender == nullptr || sender->is_sending()));
  carried.rtcp = receiver.has_rtp();
  carried.rtp = receiver.has_rtp() && is_received;
  carried.dtls = receiver.has_dtls() && (sender == nullptr || sender->has_dtls());
  carried.udptl = receiver.protocol() != nullptr && !receiver.has_dtls() && is_received &&
                  receiver.protocol()->payload == MediaPayload::udptl;
  if (receiver.has_rtp()) carried.payload_types = receiver.media().payload_types;
  return carried;
}

std::vector<MediaSink> ice_sinks(const StreamEnds& ends) {
  std::vector<MediaSink> sinks;
  for (const MediaCandidate& candidate : ends.here.candidates()) {
    if (candidate.component == Component::rtcp && !ends.has_rtcp_path) continue;
    if (candidate.tcp_type == TcpType::active) continue;
    MediaSink sink = sink_at(ends, candidate.component, candidate.transport, candidate.at);
    sink.senders = senders_to(candidate, ends.there);
    if (candidate.transport == MediaTransport::udp) {
      set_kinds(sink, ends);
      set_credentials(sink, ends);
    } else if (ends.there != nullptr && sink.senders.empty()) {
      continue; // nobody may connect
    }
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

std::vector<MediaSink> connection_sinks(const StreamEnds& ends) {
  std::vector<MediaSink> sinks;
  for (const Component component : {Component::rtp, Component::rtcp}) {
    if (component == Component::rtcp && !ends.has_rtcp_path) continue;
    const auto at = ends.here.endpoint(component);
    if (!at || at->port == discard_port) continue;
    MediaSink sink = sink_at(ends, component, MediaTransport::tcp, *at);
    if (ends.there != nullptr) {
      const auto from = ends.there->endpoint(component);
      if (!from || from->address.family != at->address.family) continue;
      sink.senders.push_back({from->address, 0});
    }
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

std::vector<MediaSink> offer_sinks(const StreamEnds& ends) {
  std::vector<MediaSink> sinks;
  const bool has_rtp_path =
      ends.here.direction() != Direction::inactive || ends.here.has_ice() || ends.is_muxed;
  for (std::uint32_t pair = 0; pair < ends.here.media().port_count; ++pair)
    for (const Component component : {Component::rtp, Component::rtcp}) {
      if (component == Component::rtcp ? !ends.has_rtcp_path : !has_rtp_path) continue;
      const auto at = ends.here.endpoint(component, pair);
      if (!at) continue;
      MediaSink sink = sink_at(ends, component, MediaTransport::udp, *at);
      set_kinds(sink, ends);
      if (ends.here.has_ice()) set_credentials(sink, ends);
      if (has_kinds(sink)) sinks.push_back(std::move(sink));
    }
  return sinks;
}

std::optional<MediaSink> exact_sink(const StreamEnds& ends, const MediaFlow& flow) {
  const bool is_caller = ends.receiver == Party::caller;
  if (is_caller ? !flow.from_callee : !flow.from_caller) return std::nullopt;
  MediaSink sink =
      sink_at(ends, flow.component, MediaTransport::udp, is_caller ? flow.caller : flow.callee);
  set_kinds(sink, ends);
  sink.senders.push_back(is_caller ? flow.callee : flow.caller);
  sink.is_exact = true;
  return has_kinds(sink) ? std::optional(std::move(sink)) : std::nullopt;
}

} // namespace midcom::sip
