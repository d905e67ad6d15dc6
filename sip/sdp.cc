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
  return !ice_ufrag_of(index).empty();
}

std::string_view Sdp::ice_ufrag_of(std::size_t index) const {
  if (index >= media_.size()) return {};
  const std::string_view own = media_[index].transport.ice_ufrag;
  return own.empty() ? transport_.ice_ufrag : own;
}

std::string_view Sdp::ice_password_of(std::size_t index) const {
  if (index >= media_.size()) return {};
  const std::string_view own = media_[index].transport.ice_password;
  return own.empty() ? transport_.ice_password : own;
}

std::optional<Setup> Sdp::setup_of(std::size_t index) const {
  if (index >= media_.size()) return std::nullopt;
  const auto& own = media_[index].transport.setup;
  return own ? own : transport_.setup;
}

bool Sdp::keeps_connection(std::size_t index) const {
  if (index >= media_.size()) return false;
  return media_[index].transport.keeps_connection.value_or(
      transport_.keeps_connection.value_or(false));
}

std::optional<std::size_t> Sdp::find_mid(std::string_view mid) const {
  if (mid.empty()) return std::nullopt;
  const auto found = std::ranges::find(media_, mid, &SdpMedia::mid);
  if (found == media_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - media_.begin());
}

} // namespace midcom::sip
