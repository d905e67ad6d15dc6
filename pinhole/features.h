// SPDX-License-Identifier: GPL-3.0-or-later
// What this kernel's nftables can do, found by asking it.
#pragma once

#include <cstdint>
#include <string>

namespace midcom::pinhole {

// Bits of event::Ready::features and Policy::masked_features.
enum Feature : std::uint32_t {
  table_owner = 1,     // NFT_TABLE_F_OWNER (5.12): nobody else may change the table
  table_persist = 2,   // NFT_TABLE_F_PERSIST (6.9): it outlives its owner
  destroy_element = 4, // NFT_MSG_DESTROYSETELEM (6.3): deleting what is not there is no error
  timeout_update = 8,  // adding an element again sets its timeout (6.12)
  native_queue = 16,   // the queue expression
  compat_queue = 32,   // the xt NFQUEUE target through nft_compat
  gate = 64,           // a queue of ours is bound, and elements of sets can hold a rate limit
  // A counter beside the limit in one element (5.11).
  element_expressions = 128,
  all_features = 255,
};

[[nodiscard]] std::string describe_features(std::uint32_t features); // "owner persist ..."

class NetlinkSocket;
// Costs a handful of aborted batches (8 ms each): at start only. Leaves nothing behind.
[[nodiscard]] std::uint32_t probe_features(NetlinkSocket& socket);

} // namespace midcom::pinhole
