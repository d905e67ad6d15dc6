// SPDX-License-Identifier: GPL-3.0-or-later
// version 1 | pairs 1 | owners 1 | pair (strong 8, network 8) x2 ... | owner: group 16, pair 1,
// stream 2, component 1, deadline 4, created 4 ...
// Pairs are listed once, in the order of their first owner.
#include "pinhole/userdata.h"

#include <algorithm>
#include <set>

#include "pinhole/octets.h"

namespace midcom::pinhole {

namespace {

constexpr std::uint8_t encoding_version = 1;
constexpr std::size_t header_size = 3, pair_size = 32, owner_size = 28;

std::vector<Participants> pairs_of(const std::vector<OwnerRecord>& owners) {
  std::vector<Participants> pairs;
  for (const OwnerRecord& owner : owners)
    if (std::ranges::find(pairs, owner.participants) == pairs.end())
      pairs.push_back(owner.participants);
  return pairs;
}

} // namespace

std::optional<std::string> encode_owners(const std::vector<OwnerRecord>& owners) {
  const std::vector<Participants> pairs = pairs_of(owners);
  const std::size_t size = header_size + pairs.size() * pair_size + owners.size() * owner_size;
  if (owners.empty() || size > max_userdata) return std::nullopt;
  OctetWriter out;
  out.u8(encoding_version);
  out.u8(static_cast<std::uint8_t>(pairs.size())).u8(static_cast<std::uint8_t>(owners.size()));
  for (const Participants& pair : pairs)
    for (const Participant& participant : pair)
      out.raw(participant.strong).raw(participant.network);
  for (const OwnerRecord& owner : owners) {
    const auto pair = std::ranges::find(pairs, owner.participants) - pairs.begin();
    out.raw(owner.group).u8(static_cast<std::uint8_t>(pair)).u16(owner.stream);
    out.u8(owner.component).u32(owner.deadline_s).u32(owner.created_s);
  }
  return out.take();
}

std::optional<std::vector<OwnerRecord>> decode_owners(std::string_view bytes) {
  OctetReader in(bytes);
  if (bytes.size() > max_userdata || in.u8() != encoding_version) return std::nullopt;
  const std::size_t pair_count = in.u8(), owner_count = in.u8();
  if (bytes.size() != header_size + pair_count * pair_size + owner_count * owner_size)
    return std::nullopt;
  std::vector<Participants> pairs(pair_count);
  for (Participants& pair : pairs)
    for (Participant& participant : pair) {
      in.raw(participant.strong);
      in.raw(participant.network);
    }
  std::vector<OwnerRecord> owners(owner_count);
  std::set<GroupId> groups;
  for (OwnerRecord& owner : owners) {
    in.raw(owner.group);
    const std::size_t pair = in.u8();
    if (pair >= pairs.size() || !groups.insert(owner.group).second) return std::nullopt;
    owner.participants = pairs[pair];
    owner.stream = in.u16();
    owner.component = in.u8();
    owner.deadline_s = in.u32();
    owner.created_s = in.u32();
  }
  // Canonical: no unused or repeated pair, nothing left over.
  if (!in.is_done() || owners.empty() || pairs_of(owners) != pairs) return std::nullopt;
  return owners;
}

} // namespace midcom::pinhole
