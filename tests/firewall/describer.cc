// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/describer.h"

#include <algorithm>

namespace midcom::firewall_test {

namespace {

using Opens = Candidate::Opens;

constexpr int static_types[] = {0, 3, 8, 9, 18, 31, 34};

const char* type_for(Kind kind) {
  switch (kind) {
  case Kind::fax:
    return "image";
  case Kind::msrp:
    return "message";
  case Kind::plain:
  case Kind::feedback:
  case Kind::secure:
    return "audio";
  default:
    return "application";
  }
}

} // namespace

Describer::Describer(Dice& dice)
    : dice_(dice), is_browser_(dice.happens(45)), is_six_(dice.happens(20)),
      is_restless_(dice.happens(30)), has_mids_(is_browser_ || dice.happens(15)) {}

std::string Describer::random_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i)
    text += static_cast<char>((i % 2 == 0 ? 'a' : 'A') + static_cast<int>(dice_.below(26)));
  return text;
}

pinhole::Address Describer::home(Party owner, int number) const {
  const bool is_caller = owner == Party::caller;
  const std::string four = is_caller ? "10.1.0." : "203.0.113.";
  const std::string six = is_caller ? "2001:db8:1::" : "2001:db8:2::";
  return *pinhole::Address::parse((is_six_ ? six : four) + std::to_string(number));
}

pinhole::Endpoint Describer::endpoint_at(const pinhole::Address& home) {
  next_port_ = static_cast<std::uint16_t>(next_port_ + 2);
  return {home, next_port_};
}

Place Describer::place(unsigned denied_percent) {
  Place place{endpoint_at(home_), false};
  if (!dice_.happens(denied_percent)) return place;
  place.is_denied = true;
  const bool is_caller = owner_ == Party::caller;
  place.at.address =
      *pinhole::Address::parse(is_six_     ? is_caller ? "2001:db8:1:9::7" : "2001:db8:2:9::7"
                               : is_caller ? "10.1.9.7"
                                           : "203.0.113.207");
  return place;
}

Description Describer::begin(Party owner, int number) {
  owner_ = owner;
  home_ = home(owner, number);
  Description description;
  description.name = "d" + std::to_string(++next_name_);
  description.owner = owner;
  description.version = 1 + dice_.below(1000);
  description.address = home_;
  return description;
}

void Describer::set_direction(Stream& stream) {
  static constexpr bool ways[][2] = {{true, true},  {true, true},  {true, true},  {true, true},
                                     {true, false}, {false, true}, {false, false}};
  const auto& way = dice_.pick(ways);
  stream.sends = way[0];
  stream.receives = way[1];
}

Stream Describer::stream(std::size_t index) {
  if (is_browser_) {
    if (index > 0 && dice_.happens(25)) return stream_of(Kind::data, "application", index);
    return stream_of(dice_.happens(85) ? Kind::secure : Kind::feedback,
                     index == 0 ? "audio" : "video", index);
  }
  static constexpr Kind kinds[] = {Kind::plain,  Kind::plain, Kind::plain, Kind::feedback,
                                   Kind::secure, Kind::fax,   Kind::msrp,  Kind::bfcp};
  const Kind kind = index == 0 && dice_.happens(50) ? Kind::plain : dice_.pick(kinds);
  const bool is_video = facts_of(kind).is_rtp && index > 0;
  return stream_of(kind, is_video ? "video" : type_for(kind), index);
}

Stream Describer::stream_of(Kind kind, const std::string& type, std::size_t index) {
  Stream stream;
  stream.kind = kind;
  stream.type = type;
  const bool has_ice = !stream.facts().is_tcp && dice_.happens(is_browser_ ? 95 : 12);
  stream.rtp = place(has_ice ? 12 : 2);
  if (has_mids_) stream.mid = "m" + std::to_string(index);
  set_direction(stream);
  if (stream.facts().is_rtp) {
    stream.has_mux = dice_.happens(is_browser_ ? 75 : 25);
    for (auto count = 1 + dice_.below(3); count > 0; --count) {
      const int number =
          dice_.happens(50) ? dice_.pick(static_types) : static_cast<int>(96 + dice_.below(32));
      if (std::ranges::find(stream.payload_types, number) == stream.payload_types.end())
        stream.payload_types.push_back(number);
    }
    if (dice_.happens(12)) {
      stream.rtcp = place(stream.rtp.is_denied ? 100 : has_ice ? 12 : 1);
      if (!stream.rtcp->is_denied && dice_.happens(30)) stream.rtcp->at.address = home(owner_, 100);
    }
  }
  if (stream.facts().is_dtls) stream.setup = Setup::actpass;
  if (stream.facts().is_tcp) {
    static constexpr Setup setups[] = {Setup::unsaid,  Setup::active,  Setup::passive,
                                       Setup::actpass, Setup::actpass, Setup::holdconn};
    stream.setup = dice_.pick(setups);
    if (stream.setup == Setup::active && dice_.happens(50)) stream.rtp.at.port = 9;
  }
  if (has_ice) {
    set_ice(stream);
    stream.candidates = candidates(stream);
    if (is_browser_ && dice_.happens(25)) { // they all follow
      stream.candidates.clear();
      stream.rtp = {{home_, 9}, false};
      stream.rtcp.reset();
    }
  }
  if (dice_.happens(4) && stream.kind != Kind::msrp) stream.is_held = true;
  return stream;
}

void Describer::set_ice(Stream& stream) {
  stream.ufrag = random_text(4 + dice_.below(5));
  stream.password = random_text(22 + dice_.below(6));
}

Candidate Describer::candidate(const Stream& stream) {
  static constexpr Opens tcp_kinds[] = {Opens::actively, Opens::passively, Opens::both};
  Candidate candidate;
  candidate.place = place(15);
  candidate.is_reflexive = dice_.happens(30);
  if (stream.facts().is_rtp && !stream.has_mux && dice_.happens(40)) candidate.component = 2;
  if (dice_.happens(25)) {
    candidate.opens = dice_.pick(tcp_kinds);
    candidate.component = 1;
    if (candidate.opens == Opens::actively) candidate.place.at.port = 9;
  }
  if (candidate.place.is_denied && dice_.happens(30)) // on no side
    candidate.place.at.address = *pinhole::Address::parse("192.168.5.5");
  return candidate;
}

std::vector<Candidate> Describer::candidates(const Stream& stream) {
  std::vector<Candidate> all;
  if (stream.rtp.at.port != 9 && dice_.happens(80))
    all.push_back({1, Opens::datagrams, stream.rtp, false});
  for (auto count = dice_.below(3); count > 0; --count) all.push_back(candidate(stream));
  return all;
}

// Most user agents have one ICE user name for all.
void Describer::share_credentials(Description& description) {
  if (!dice_.happens(70)) return;
  const auto first = std::ranges::find_if(description.streams, &Stream::has_ice);
  for (Stream& stream : description.streams)
    if (stream.has_ice()) {
      stream.ufrag = first->ufrag;
      stream.password = first->password;
    }
}

void Describer::bundle(Description& description) {
  if (!has_mids_ || description.streams.size() < 2 || !dice_.happens(is_browser_ ? 80 : 50)) return;
  std::vector<std::string> mids;
  for (const Stream& stream : description.streams)
    if (!stream.facts().is_tcp && dice_.happens(85)) mids.push_back(stream.mid);
  if (mids.size() < 2) return;
  description.bundles = {mids};
  if (dice_.happens(15))
    description.bundles = {{mids.begin(), mids.begin() + 1}, {mids.begin() + 1, mids.end()}};
  for (const auto& bundle_of : description.bundles)
    for (Stream& stream : description.streams)
      if (stream.mid != bundle_of.front() && dice_.happens(20) &&
          std::ranges::find(bundle_of, stream.mid) != bundle_of.end())
        stream.is_zero = stream.is_bundle_only = true;
}

Description Describer::offer(Party owner, int number, const Description* before) {
  Description description = begin(owner, number);
  if (before != nullptr) {
    const std::string name = description.name;
    description = *before;
    description.name = name;
    if (dice_.happens(90)) ++description.version;
    change(description);
    return description;
  }
  const std::size_t count = 1 + (dice_.happens(50) ? 1 + dice_.below(2) : 0);
  for (std::size_t i = 0; i < count; ++i) description.streams.push_back(stream(i));
  share_credentials(description);
  bundle(description);
  return description;
}

void Describer::change(Description& description) {
  for (auto count = dice_.below(3); count > 0; --count)
    change_stream(description, dice_.below(description.streams.size()));
  if (dice_.happens(is_restless_ ? 75 : 25)) restart_ice(description);
  if (description.streams.size() < 4 && dice_.happens(12))
    description.streams.push_back(stream(description.streams.size()));
  if (dice_.happens(25)) share_port(description);
}

// A later offer of what is bundled names one port for all (RFC 8843 7.5).
void Describer::share_port(Description& description) {
  for (const auto& bundle : description.bundles) {
    const Stream* first = nullptr;
    for (Stream& stream : description.streams) {
      if (stream.is_zero || std::ranges::find(bundle, stream.mid) == bundle.end()) continue;
      if (first == nullptr) {
        first = &stream;
        continue;
      }
      stream.rtp = first->rtp;
      stream.rtcp = first->rtcp;
      stream.is_held = first->is_held;
      stream.ufrag = first->ufrag;
      stream.password = first->password;
      stream.has_mux = first->has_mux;
      stream.candidates.clear();
    }
  }
}

void Describer::change_stream(Description& description, std::size_t index) {
  Stream& stream = description.streams[index];
  const bool is_shared = stream.is_bundle_only || stream.rtp.at.port == 9;
  if (stream.is_zero && !stream.is_bundle_only) {
    if (dice_.happens(50)) stream = this->stream(index);
    return;
  }
  switch (dice_.below(7)) {
  case 0:
    if (is_shared) return;
    stream.rtp = place(stream.has_ice() ? 10 : 2);
    stream.rtcp.reset();
    if (stream.has_ice()) stream.candidates.push_back({1, Opens::datagrams, stream.rtp, false});
    return;
  case 1:
  case 2:
    return set_direction(stream);
  case 3:
    if (stream.kind != Kind::msrp) stream.is_held = !stream.is_held;
    return;
  case 4:
    stream.is_zero = true;
    stream.is_bundle_only = false;
    return;
  case 5:
    if (stream.has_ice())
      stream.candidates.push_back(candidate(stream));
    else if (stream.facts().is_tcp)
      stream.keeps_connection = !stream.keeps_connection;
    return;
  default: // audio becomes T.38 in the same slot, and the other way round
    if (is_browser_ || stream.facts().is_tcp || !dice_.happens(50)) return;
    stream = stream.kind == Kind::fax ? stream_of(Kind::plain, "audio", index)
                                      : stream_of(Kind::fax, "image", index);
  }
}

void Describer::restart_ice(Description& description) {
  const bool has_other_ports = dice_.happens(50);
  for (Stream& stream : description.streams) {
    if (!stream.has_ice()) continue;
    set_ice(stream);
    if (!has_other_ports) continue;
    if (stream.rtp.at.port != 9 && !stream.is_bundle_only) stream.rtp = place(10);
    stream.candidates = candidates(stream);
    if (stream.rtp.at.port == 9) stream.candidates.clear();
  }
  share_credentials(description);
}

Setup Describer::setup_for(Setup offered) {
  if (dice_.happens(5)) return Setup::holdconn;
  switch (offered) {
  case Setup::active:
    return Setup::passive;
  case Setup::passive:
    return Setup::active;
  case Setup::actpass:
    return dice_.happens(50) ? Setup::active : Setup::passive;
  case Setup::unsaid:
    return dice_.happens(80) ? Setup::unsaid : Setup::active;
  default:
    return offered;
  }
}

Stream Describer::answer_stream(const Stream& offered, std::size_t index, const Stream* own,
                                const Stream* offered_before) {
  Kind kind = offered.kind;
  if (offered.facts().is_rtp && dice_.happens(4)) kind = Kind::plain;
  const bool goes_on = own != nullptr && own->type == offered.type && own->kind == kind &&
                       own->mid == offered.mid && !own->is_zero && dice_.happens(80);
  Stream stream = goes_on ? *own : stream_of(kind, offered.type, index);
  stream.mid = goes_on || dice_.happens(97) ? offered.mid : "";
  stream.is_zero = (offered.is_zero && !offered.is_bundle_only) || dice_.happens(7);
  if (goes_on) set_direction(stream);
  stream.sends = stream.sends && (offered.receives || dice_.happens(5));
  stream.receives = stream.receives && (offered.sends || dice_.happens(5));
  stream.has_mux = stream.has_mux && (offered.has_mux || dice_.happens(5));
  stream.setup =
      offered.facts().is_dtls || offered.facts().is_tcp ? setup_for(offered.setup) : Setup::unsaid;
  if (!offered.has_ice() && stream.has_ice() && dice_.happens(90)) {
    stream.ufrag.clear();
    stream.password.clear();
    stream.candidates.clear();
    if (stream.rtp.at.port == 9) stream.rtp = place(3);
    if (stream.rtcp && stream.rtcp->is_denied) stream.rtcp.reset();
  } else if (offered.has_ice() && !stream.has_ice() && !stream.facts().is_tcp) {
    set_ice(stream);
    stream.candidates = candidates(stream);
  } else if (goes_on && stream.has_ice() && offered_before != nullptr &&
             offered_before->ufrag != offered.ufrag) { // RFC 8839 4.4.1.1.1
    set_ice(stream);
    if (dice_.happens(50)) stream.candidates = candidates(stream);
  }
  stream.keeps_connection = offered.keeps_connection && stream.facts().is_tcp && dice_.happens(80);
  return stream;
}

Description Describer::answer(const Description& offer, Party owner, int number,
                              const Before& before) {
  Description description = begin(owner, number);
  if (before.own != nullptr) description.version = before.own->version + 1;
  for (std::size_t i = 0; i < offer.streams.size(); ++i) {
    const auto stream_in = [&](const Description* one) {
      return one != nullptr && i < one->streams.size() ? &one->streams[i] : nullptr;
    };
    description.streams.push_back(
        answer_stream(offer.streams[i], i, stream_in(before.own), stream_in(before.other)));
  }
  const bool is_new = before.own == nullptr;
  if (is_new) share_credentials(description);
  answer_bundles(description, offer);
  return description;
}

void Describer::answer_bundles(Description& answer, const Description& offer) {
  for (const auto& bundle : offer.bundles) {
    if (dice_.happens(15)) continue;
    std::vector<std::string> mids;
    for (const std::string& mid : bundle) {
      const auto one = std::ranges::find(answer.streams, mid, &Stream::mid);
      if (one == answer.streams.end()) continue;
      if (dice_.happens(one->is_zero ? 8 : 92)) mids.push_back(mid);
    }
    if (mids.empty()) continue;
    if (!answer.bundles.empty() && dice_.happens(25)) // of what was offered apart
      answer.bundles.back().insert(answer.bundles.back().end(), mids.begin(), mids.end());
    else
      answer.bundles.push_back(mids);
  }
  for (Stream& stream : answer.streams) stream.is_bundle_only = false;
  if (dice_.happens(70)) share_port(answer);
  // What was offered for the bundle alone goes with it.
  for (std::size_t i = 0; i < answer.streams.size(); ++i) {
    const bool is_in = std::ranges::any_of(answer.bundles, [&](const auto& bundle) {
      return std::ranges::find(bundle, answer.streams[i].mid) != bundle.end();
    });
    if (offer.streams[i].is_bundle_only && !is_in) answer.streams[i].is_zero = true;
  }
}

Description Describer::nonsense(const Description& other, Party owner, int number) {
  Description description = begin(owner, number);
  const std::size_t count = other.streams.size() + (dice_.happens(50) ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) description.streams.push_back(stream(i));
  if (count == other.streams.size() && count > 1) description.streams.pop_back();
  std::ranges::reverse(description.streams);
  for (std::size_t i = 0; i < description.streams.size(); ++i)
    if (!description.streams[i].mid.empty()) description.streams[i].mid = "n" + std::to_string(i);
  return description;
}

Fragment Describer::fragment(const Description& description, const std::vector<Fragment>& said) {
  owner_ = description.owner;
  home_ = description.address;
  Fragment fragment;
  for (std::size_t i = 0; i < description.streams.size(); ++i) {
    const Stream& stream = description.streams[i];
    Fragment::Section section{i, stream.type, stream.mid, stream.ufrag, stream.password, {}};
    for (const Fragment& one : said)
      if (i < one.sections.size() && one.sections[i].ufrag == section.ufrag)
        section.candidates = one.sections[i].candidates;
    if (stream.has_ice() && section.candidates.size() < 6 && dice_.happens(70))
      section.candidates.push_back(candidate(stream));
    fragment.sections.push_back(section);
  }
  return fragment;
}

} // namespace midcom::firewall_test
