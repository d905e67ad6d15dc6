// SPDX-License-Identifier: GPL-3.0-or-later
// Session descriptions as structures: what a user agent means, from which its text is written.
// Nothing here reads a description.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pinhole/endpoint.h"
#include "sip/offer_answer.h"
#include "tests/unit/sip/naive_exchanges.h"

namespace midcom::firewall_test {

using sip::Party;

struct Place {
  pinhole::Endpoint at;
  bool is_denied = false; // outside of its party's media networks
};

struct Candidate {
  enum class Opens : std::uint8_t { datagrams, actively, passively, both }; // RFC 6544 4.5
  int component = 1;
  Opens opens = Opens::datagrams;
  Place place;
  bool is_reflexive = false;
  [[nodiscard]] bool is_tcp() const { return opens != Opens::datagrams; }
};

enum class Kind : std::uint8_t { plain, feedback, secure, fax, data, msrp, bfcp };
struct KindFacts {
  const char* protocol;
  const char* format;
  bool is_rtp, is_dtls, is_tcp;
};
[[nodiscard]] const KindFacts& facts_of(Kind kind);

enum class Setup : std::uint8_t { unsaid, active, passive, actpass, holdconn };

struct Stream {
  std::string type; // audio, video, image, application, message
  Kind kind = Kind::plain;
  bool is_zero = false; // port 0
  bool is_bundle_only = false;
  Place rtp;                 // default address
  bool is_held = false;      // c= is unspecified
  std::optional<Place> rtcp; // a=rtcp
  bool has_mux = false;
  bool sends = true, receives = true;
  std::vector<int> payload_types;
  std::string mid;
  Setup setup = Setup::unsaid;
  bool keeps_connection = false;
  std::string ufrag, password; // "": no ICE
  std::vector<Candidate> candidates;

  [[nodiscard]] const KindFacts& facts() const { return facts_of(kind); }
  [[nodiscard]] bool has_ice() const { return !ufrag.empty(); }
};

struct Description {
  std::string name; // within its call
  Party owner = Party::caller;
  std::uint64_t version = 1;
  pinhole::Address address; // of the session's c=
  std::vector<Stream> streams;
  std::vector<std::vector<std::string>> bundles; // mids
};

// Candidates that follow in an INFO (RFC 8840): for one generation of each stream.
struct Fragment {
  struct Section {
    std::size_t stream = 0;
    std::string type, mid, ufrag, password;
    std::vector<Candidate> candidates;
  };
  std::vector<Section> sections; // of each stream; without ICE it says nothing
};

[[nodiscard]] std::string text_of(const Description& description);
[[nodiscard]] std::string text_of(const Fragment& fragment);
[[nodiscard]] sip::NaiveDescription naive(const Description& description);

} // namespace midcom::firewall_test
