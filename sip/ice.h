// SPDX-License-Identifier: GPL-3.0-or-later
// What a session description says of ICE (RFC 8839, over TCP: RFC 6544).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/ip_address.h"

namespace midcom::sip {

enum class MediaTransport : std::uint8_t { udp, tcp };

// Who opens the connection of a TCP candidate (RFC 6544 4.5).
enum class TcpType : std::uint8_t { none, active, passive, simultaneous };

// a=candidate (RFC 8839 5.1). What follows the type counts only for its tcptype: raddr and rport
// are of no use to a firewall.
struct SdpCandidate {
  std::string_view text;
  std::string_view foundation;
  std::uint16_t component = 1;             // 1..256
  std::optional<MediaTransport> transport; // empty: another one
  std::string_view address_text;
  std::optional<IpAddress> address; // empty for a host name that isn't pinned
  std::uint16_t port = 0;
  std::string_view type;            // host, srflx, prflx, relay, or another token
  TcpType tcp_type = TcpType::none; // with TCP
};
[[nodiscard]] Result<SdpCandidate> parse_candidate(std::string_view value);

// a=remote-candidates (RFC 8839 5.2): what the other side had chosen from.
struct RemoteCandidate {
  std::uint16_t component = 1;
  std::optional<IpAddress> address;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<std::vector<RemoteCandidate>> parse_remote_candidates(std::string_view value);

// RFC 8839 5.4: 4 to 256, and 22 to 256, of ALPHA DIGIT "+" "/".
[[nodiscard]] bool is_ice_ufrag(std::string_view text);
[[nodiscard]] bool is_ice_password(std::string_view text);

} // namespace midcom::sip
