// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_bundle.h"

#include <algorithm>
#include <numeric>

#include "sip/header_name.h"

namespace midcom::sip {

namespace {

bool is_bundle(const SdpGroup& group) {
  return iequals(group.semantics, "BUNDLE");
}

bool is_there(const SdpMedia& media) {
  return media.port != 0 || media.is_bundle_only;
}

// The first group that has the mid: it may be in one (RFC 8843 7).
const SdpGroup* bundle_of(const Sdp& sdp, std::string_view mid) {
  for (const SdpGroup& group : sdp.groups())
    if (is_bundle(group) && std::ranges::find(group.mids, mid) != group.mids.end()) return &group;
  return nullptr;
}

// The m= lines of an answered group that both sides have under that mid, in the group's order; all
// of them in the offered group of the first.
std::vector<std::size_t> accepted_lines(const Sdp& offer, const Sdp& answer,
                                        const SdpGroup& group) {
  std::vector<std::size_t> lines;
  const SdpGroup* offered = nullptr;
  for (const std::string_view mid : group.mids) {
    const auto line = offer.find_mid(mid);
    if (!line || answer.find_mid(mid) != line || bundle_of(answer, mid) != &group) continue;
    if (!is_there(offer.media()[*line]) || !is_there(answer.media()[*line])) continue;
    const SdpGroup* one = bundle_of(offer, mid);
    if (one == nullptr || (offered != nullptr && one != offered)) continue;
    // The one that carries the others has a port on both sides (RFC 8843 7.3.1).
    const bool has_ports = offer.media()[*line].port != 0 && answer.media()[*line].port != 0;
    if (lines.empty() && !has_ports) continue;
    offered = one;
    lines.push_back(*line);
  }
  return lines;
}

} // namespace

std::vector<std::size_t> bundle_carriers(const Sdp& offer, const Sdp& answer) {
  std::vector<std::size_t> carriers(offer.media().size());
  std::iota(carriers.begin(), carriers.end(), std::size_t{0});
  for (const SdpGroup& group : answer.groups()) {
    if (!is_bundle(group)) continue;
    const auto lines = accepted_lines(offer, answer, group);
    for (const std::size_t line : lines) carriers[line] = lines.front();
  }
  return carriers;
}

std::vector<std::vector<std::size_t>> bundles_offered(const Sdp& offer) {
  std::vector<std::vector<std::size_t>> bundles(offer.media().size());
  for (std::size_t index = 0; index < bundles.size(); ++index) {
    const SdpMedia& media = offer.media()[index];
    if (media.port == 0) continue;
    bundles[index].push_back(index);
    const SdpGroup* group = media.mid.empty() ? nullptr : bundle_of(offer, media.mid);
    if (group == nullptr) continue;
    for (const std::string_view mid : group->mids) {
      const auto line = offer.find_mid(mid);
      if (line && *line != index && is_there(offer.media()[*line])) bundles[index].push_back(*line);
    }
  }
  return bundles;
}

} // namespace midcom::sip
