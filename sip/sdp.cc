// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp.h"

#include <algorithm>

namespace midcom::sip {

namespace {

constexpr std::pair<std::string_view, Direction> direction_names[] = {
    {"sendrecv", Direction::sendrecv},
    {"sendonly", Direction::sendonly},
    {"recvonly", Direction::recvonly},
    {"inactive", Direction::inactive},
};

} // namespace

std::optional<Direction> direction_named(const SdpAttribute& attribute) {
  if (!attribute.value.empty()) return std::nullopt;
  for (const auto& [name, direction] : direction_names)
    if (attribute.name == name) return direction;
  return std::nullopt;
}

std::optional<std::string_view> SdpMedia::attribute(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &SdpAttribute::name);
  if (found == attributes.end()) return std::nullopt;
  return found->value;
}

std::string_view Sdp::origin_identity() const {
  return origin_identity_;
}

const SdpConnection* Sdp::connection_of(std::size_t index) const {
  if (index >= media_.size()) return nullptr;
  const SdpMedia& media = media_[index];
  if (!media.connections.empty()) return &media.connections.front();
  return connection_ ? &*connection_ : nullptr;
}

Direction Sdp::direction_of(std::size_t index) const {
  if (index < media_.size() && media_[index].direction) return *media_[index].direction;
  for (const SdpAttribute& attribute : attributes_)
    if (const auto direction = direction_named(attribute)) return *direction;
  return Direction::sendrecv; // RFC 8866 6.7
}

bool Sdp::has_ice(std::size_t index) const {
  if (index >= media_.size()) return false;
  const auto is_ufrag = [](const SdpAttribute& attribute) { return attribute.name == "ice-ufrag"; };
  return std::ranges::any_of(media_[index].attributes, is_ufrag) ||
         std::ranges::any_of(attributes_, is_ufrag);
}

} // namespace midcom::sip
