// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration as the agent and the middlebox use it: typed, checked, immutable. config.h
// reads it from files.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/event_log.h"
#include "daemon/network.h"
#include "pinhole/policy.h"
#include "pinhole/promise.h"
#include "sip/message.h"
#include "sip/sdp.h"

namespace midcom {

struct ListenerConfig {
  std::string name; // of the section
  Transport transport = Transport::tls;
  sip::Endpoint address;  // never a wildcard
  std::string advertised; // host in Record-Route, Path and Via; default: the first own name for
                          // TLS, else the address. Must be an own name or the address
};

enum class KeyPolicy : std::uint8_t { hidden, warn, allow }; // E2M.md 4
enum class PeerKind : std::uint8_t { phones, trunk };

// What midcomd asks of end-to-end sealed or signed bodies that come from a peer (E2M.md 4).
struct DisclosurePolicy {
  enum class Opaque : std::uint8_t { forward, refuse }; // a body sealed for others alone
  enum class Legacy : std::uint8_t { allow, refuse };   // no S/MIME: SDP in clear inside TLS
  enum class BadAnswer : std::uint8_t { block_media, terminate };
  enum class Answerer : std::uint8_t { to_uri, peer_domain, any_trusted };
  std::vector<std::string> view, verify; // "type/subtype", lower case: must be readable, signed
  Opaque opaque = Opaque::forward;
  Legacy legacy = Legacy::allow;
  BadAnswer on_bad_answer = BadAnswer::block_media;
  Answerer answerer = Answerer::to_uri; // who may sign an answer
};

// A configured neighbour.
struct PeerConfig {
  std::string name;
  PeerKind kind = PeerKind::phones;
  std::vector<pinhole::Prefix> networks; // where its signalling comes from
  std::vector<std::string>
      identities; // certificate names it must prove, lower case; empty: none asked
  std::vector<std::string> interfaces;
  std::string side;                   // default: its name
  bool media_is_source = true;        // media = source: only the signalling source address
  std::vector<pinhole::Prefix> media; // media = NETWORK ...
  std::optional<Target> next_hop;     // requests routed to this peer go there
  bool is_registrar = false;          // its 200 to a REGISTER proves an address of record
  KeyPolicy keys = KeyPolicy::hidden; // SRTP keys in clear SDP (RFC 4568)
  std::vector<std::string> methods;   // allowed request methods; empty: the default list
  std::uint32_t max_calls = 1000;
  // Whom the gate may take for the sender of this peer's media.
  pinhole::SourceRule media_source = pinhole::SourceRule::signalled;
  bool takes_tcp_media = false;      // its addresses may be connected to from another side
  bool resolves_media_names = false; // host names in its descriptions are looked up
  DisclosurePolicy disclosure;
};

struct RouteConfig {
  std::string domain; // lower case; of the Request-URI; "*" is the default route
  std::string peer;
};

struct TimeoutConfig {
  std::chrono::milliseconds t1{500}, t2{4000}, t4{5000};
  std::chrono::seconds timer_c{185}; // > 3 min (RFC 3261 16.6 step 11)
  std::chrono::seconds connect{10}, handshake{10};
  std::chrono::milliseconds idle{900000};
  std::chrono::seconds early{300};            // lifetime of an early dialog's rules
  std::chrono::seconds call{43200};           // absolute lifetime of a call's rules
  std::chrono::milliseconds grace{2000};      // old rules after a port change (RFC 3264 8.3.1)
  std::chrono::milliseconds ice_grace{30000}; // old pairs after an ICE restart (RFC 7675 5.1)
  std::chrono::milliseconds commit{2000};     // wait for the middlebox before 500
  std::chrono::milliseconds opener{2000};     // wait for an opener
};

inline constexpr std::size_t max_own_certificate = 16384;

// [smime] as the agent needs it; the keys go to the openers alone.
struct SmimeConfig {
  std::size_t openers = 0;                // processes; 0: no [smime], no body is opened
  std::chrono::seconds date_window{3600}; // how far a Date may be from our clock
  std::size_t replay_entries = 100000;
  std::string certificate; // DER: ours to encrypt for, as 496 offers it. The supervisor fills it in
};

// What this process is (E2M.md 6): a gateway between networks, or a user agent's part of
// end-to-middle security beside phones that know nothing of it.
enum class StationRole : std::uint8_t { gateway, endpoint };

struct UserConfig {    // whose messages are signed and sealed, and opened
  std::string address; // of record
  std::string offer;   // certs-only CMS with the certificate, as 493 offers it. By the supervisor
};

struct MiddleConfig {      // a middle that is always shown the shared part
  std::string name;        // lower case; among its certificate's
  std::string certificate; // DER. By the supervisor
};

// What becomes of a body when the far end's certificate isn't known. An answer follows its offer.
enum class SealPolicy : std::uint8_t {
  known,    // it leaves as it came: the far end may have no S/MIME
  possible, // it is signed alone
  required, // it doesn't leave
};

// The role `endpoint`. Certificates are believed when an opener has checked them.
struct EndpointConfig {
  // own_domain, peer_domain, or a name: whose certificate from a 496 is taken.
  static constexpr std::string_view own_domain = "own-domain", peer_domain = "peer-domain",
                                    next_hop = "next-hop";
  SealPolicy seal = SealPolicy::possible;
  std::vector<std::string> trusted_middles;
  std::vector<UserConfig> users;
  std::vector<MiddleConfig> middles;
  std::vector<std::string> contacts; // DER. By the supervisor
};

// What is looked at while media flows, and what may flow before an answer.
struct MediaConfig {
  bool has_early = true; // an offer's receive addresses wait for media before its answer
  std::chrono::seconds one_way_after{5};         // of an agreed session: then it is looked at first
  std::chrono::seconds inactivity{300};          // a call without any packet ends; 0: never
  std::chrono::seconds inactivity_on_hold{3600}; // likewise while no stream flows both ways
};

// Name servers for host names in descriptions. The supervisor fills them in when none is given.
struct DnsConfig {
  std::vector<sip::Endpoint> servers;
  std::chrono::milliseconds timeout{2000}; // of all names of one description
};

struct LimitConfig {
  sip::MessageLimits message;
  sip::SdpLimits sdp;
  std::size_t connections = 10000, connections_per_address = 200;
  std::size_t transactions = 100000, transactions_per_address = 20000;
  std::size_t calls = 20000;
  std::size_t streams_per_call = 32;
  std::size_t rules = 20000; // of all calls, sinks too; the middlebox enforces the same
  std::size_t rules_per_call = 128;
  std::size_t write_buffer = 1048576; // octets queued on one flow before it is closed
};

struct AgentConfig {
  std::vector<std::string> names; // own names, lower case; first is the main one
  std::vector<ListenerConfig> listeners;
  std::vector<PeerConfig> peers;
  std::vector<RouteConfig> routes;
  std::vector<pinhole::PortRange> media_ports; // allowed
  std::vector<pinhole::PortRange> forbidden_ports;
  std::vector<pinhole::Prefix> forbidden_hosts;
  TimeoutConfig timeouts;
  LimitConfig limits;
  MediaConfig media;
  DnsConfig dns;
  pinhole::Mode mode = pinhole::Mode::appliance;
  SmimeConfig smime;
  StationRole role = StationRole::gateway;
  EndpointConfig endpoint;
};

} // namespace midcom
