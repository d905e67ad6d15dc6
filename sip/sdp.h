// SPDX-License-Identifier: GPL-3.0-or-later
// Session descriptions (RFC 8866) read whole. Nothing is ever written back: bodies are never
// changed.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/host_names.h"
#include "sip/ice.h"
#include "sip/ip_address.h"

namespace midcom::sip {

struct SdpLimits {
  std::size_t size = 32768; // octets
  std::size_t line = 4096;
  std::size_t lines = 1024;
  std::size_t media = 32;       // m= lines, a=group lines, and mids in each
  std::size_t attributes = 512; // all a= lines together
  std::size_t candidates = 64;  // a=candidate lines of one m= line
};

struct SdpAttribute {
  std::string_view name;
  std::string_view value; // "" for a flag
};

// c=; multicast TTL and counts are kept only as "has_suffix".
struct SdpConnection {
  std::string_view text;                     // the address as written
  std::optional<IpAddress> address;          // empty for a host name that isn't pinned
  bool has_suffix = false;                   // "/ttl" or "/count" was there
  std::optional<IpAddress::Family> family{}; // addrtype; empty: neither IP4 nor IP6 of IN
};

// a=rtcp (RFC 3605): port and, when it names one, an address.
struct SdpRtcp {
  std::uint16_t port = 0;
  std::optional<SdpConnection> connection;
};

// a=setup (RFC 4145 4).
enum class Setup : std::uint8_t { active, passive, actpass, holdconn, other };

// a=path (RFC 4975 6): the first URI, which is the one to connect to.
struct SdpPath {
  std::string_view text;
  std::optional<IpAddress> address; // empty: host name that isn't pinned, or not to be read
  std::uint16_t port = 0;
  std::string_view host{}; // when it is a host name
};

// a=group (RFC 5888 5).
struct SdpGroup {
  std::string_view semantics; // BUNDLE, ANAT, LS, ...
  std::vector<std::string_view> mids;
};

// What the session may give for all its m= lines, and each of them for itself.
struct SdpTransport {
  std::string_view ice_ufrag, ice_password;
  std::optional<Setup> setup;
  std::optional<bool> keeps_connection; // a=connection:existing (RFC 4145 5); false: new
};

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };
// Empty when the attribute is no direction.
[[nodiscard]] std::optional<Direction> direction_named(const SdpAttribute& attribute);

struct SdpMedia {
  std::string_view type; // audio, video, ...
  std::uint16_t port = 0;
  std::uint32_t port_count = 1; // "<port>/<n>"
  std::string_view protocol;    // "RTP/AVP", "UDP/TLS/RTP/SAVPF", "udptl", "TCP/MSRP", ...
  std::vector<std::string_view> formats;
  std::vector<SdpConnection> connections; // of this m=; empty: the session's holds
  std::vector<SdpAttribute> attributes;

  std::string_view mid; // RFC 5888 4; "" for none
  SdpTransport transport;
  std::optional<SdpRtcp> rtcp;
  std::vector<SdpCandidate> candidates;
  std::vector<RemoteCandidate> remote_candidates;
  std::optional<SdpPath> path;
  std::bitset<128> payload_types; // the formats that are such numbers
  bool is_bundle_only = false;    // RFC 8843 6
  bool is_rtcp_mux = false;       // a=rtcp-mux or a=rtcp-mux-only
  bool is_rtcp_mux_only = false;
  bool has_key_material = false;      // a=crypto, a=key-mgmt or k=, at media or session level
  std::optional<Direction> direction; // own attribute only

  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view name) const;
};

class Sdp {
public:
  // Strict in structure (order and number of lines by RFC 8866 9; v= o= s= must be there in that
  // order), tolerant in what no rule depends on: LF alone as line end, empty lines or a space at
  // the end, a missing t=, an empty s=, the place of b=. A line of an unknown type letter is
  // skipped, a candidate that can't be read is left out. Text is owned by the result. Numbers are
  // checked, ports are 0..65535. Needs a c= for every m= with a port that is not 0 (session's or
  // its own). What two readers could read in two ways is refused: two different directions,
  // a=setup, ICE user names or passwords in one section, two c= of the session, two a=rtcp of one
  // m=, one a=mid for two m= lines, an ICE user name or password that RFC 8839 5.4 doesn't allow.
  // `names`: host names that are taken for these addresses from here on.
  [[nodiscard]] static Result<std::shared_ptr<const Sdp>>
  parse(std::string_view text, const SdpLimits& limits, const NamedAddresses& names = {});
  Sdp(const Sdp&) = delete;
  Sdp& operator=(const Sdp&) = delete;

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] const NamedAddresses& names() const { return names_; } // as given to parse()
  [[nodiscard]] std::string_view origin() const { return origin_; }    // value of o=
  [[nodiscard]] std::uint64_t origin_version() const { return version_; }
  [[nodiscard]] const std::optional<SdpConnection>& connection() const { return connection_; }
  [[nodiscard]] std::span<const SdpAttribute> attributes() const { return attributes_; }
  [[nodiscard]] std::span<const SdpMedia> media() const { return media_; }
  [[nodiscard]] std::span<const SdpGroup> groups() const { return groups_; }

  // What holds for m= line `index` after session-level defaults.
  [[nodiscard]] const SdpConnection* connection_of(std::size_t index) const; // nullptr when none
  [[nodiscard]] Direction direction_of(std::size_t index) const;
  [[nodiscard]] bool has_ice(std::size_t index) const; // ice-ufrag there (session or media level)
  [[nodiscard]] std::string_view ice_ufrag_of(std::size_t index) const;
  [[nodiscard]] std::string_view ice_password_of(std::size_t index) const; // "": not disclosed
  [[nodiscard]] std::optional<Setup> setup_of(std::size_t index) const;
  [[nodiscard]] bool keeps_connection(std::size_t index) const;
  // The m= line of that mid.
  [[nodiscard]] std::optional<std::size_t> find_mid(std::string_view mid) const;

private:
  Sdp() = default;
  std::string text_;
  NamedAddresses names_;
  std::string_view origin_;
  std::uint64_t version_ = 0;
  std::optional<SdpConnection> connection_;
  std::vector<SdpAttribute> attributes_;
  std::vector<SdpMedia> media_;
  std::vector<SdpGroup> groups_;
  SdpTransport transport_;
  friend class SdpParser;
};

using SdpPtr = std::shared_ptr<const Sdp>;

} // namespace midcom::sip
