// SPDX-License-Identifier: GPL-3.0-or-later
// One m= line of one description: where its side receives, and what. Part of media_plan.
#pragma once

#include "sip/media_plan.h"
#include "sip/media_protocol.h"

namespace midcom::sip {

inline constexpr std::uint16_t discard_port = 9;

// A candidate that a packet can be sent to or come from.
struct MediaCandidate {
  Component component;
  MediaTransport transport;
  TcpType tcp_type;
  Endpoint at;
  auto operator<=>(const MediaCandidate&) const = default;
};

class MediaSide {
public:
  // The description outlives the side.
  MediaSide(const Sdp& sdp, std::size_t index, std::span<const TrickleFragmentPtr> trickled);

  // What its default address is good for: refused, unsupported, held or open.
  [[nodiscard]] StreamState state() const;
  // Where it receives a component by default; empty when nobody can send there. `pair` counts the
  // port pairs of "<port>/<n>". Over TCP also the address that a connection comes from.
  [[nodiscard]] std::optional<Endpoint> endpoint(Component component, std::uint32_t pair = 0) const;
  [[nodiscard]] const MediaProtocol* protocol() const { return protocol_; } // nullptr: unknown
  [[nodiscard]] const SdpMedia& media() const { return sdp_.media()[index_]; }
  [[nodiscard]] Direction direction() const { return sdp_.direction_of(index_); }
  [[nodiscard]] bool is_sending() const;
  [[nodiscard]] bool is_receiving() const;
  [[nodiscard]] bool has_ice() const { return sdp_.has_ice(index_); }
  [[nodiscard]] bool has_dtls() const { return protocol_ != nullptr && protocol_->has_dtls; }
  [[nodiscard]] bool has_rtp() const;
  [[nodiscard]] bool is_over(MediaTransport transport) const;
  [[nodiscard]] std::string_view ufrag() const { return sdp_.ice_ufrag_of(index_); }
  [[nodiscard]] std::string_view password() const { return sdp_.ice_password_of(index_); }
  [[nodiscard]] std::optional<Setup> setup() const { return sdp_.setup_of(index_); }
  [[nodiscard]] bool keeps_connection() const { return sdp_.keeps_connection(index_); }
  // Sorted, each once.
  [[nodiscard]] const std::vector<MediaCandidate>& candidates() const { return candidates_; }

private:
  const Sdp& sdp_;
  std::size_t index_;
  const MediaProtocol* protocol_;
  std::vector<MediaCandidate> candidates_;
};

// Where the m= line receives a component by default, judged or not; empty when it asks for none.
[[nodiscard]] std::optional<ReceiveAddress>
default_address(const Sdp& sdp, std::size_t index, Component component, std::uint32_t pair = 0);

} // namespace midcom::sip
