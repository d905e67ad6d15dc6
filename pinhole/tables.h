// SPDX-License-Identifier: GPL-3.0-or-later
// Our two nftables tables. Chains in the forward hook, in this order, with nobody between:
//   -12  inet midcomd_base  clear_mark   our mark bits to 0 (also when the next one is not there)
//   -11  inet midcomd       mark_flows   our bits to 0; a forged source: the end; look the flow up,
//                                        set the mark; what is in no flow but goes to a sink: to
//                                        the gate's queue
//   -10  inet midcomd_base  decide       marked: accept; forged sources and protected networks:
//                                        drop; others: accept
// A source is forged that comes by another interface than its side's. In no flow, it isn't counted
// there, and the gate doesn't see it.
// An accept ends only its own chain: the operator's filter chains (priority 0) still see the packet
// and its mark.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/flow.h"
#include "pinhole/nft_batch.h"
#include "pinhole/policy.h"

namespace midcom::pinhole {

inline constexpr std::string_view base_table = "midcomd_base";
// A second static table, owned by this process: for kernels with OWNER but without PERSIST, where
// the base table must be plain to outlive the process. It keeps the door closed over a flush.
inline constexpr std::string_view guard_table = "midcomd_guard";
inline constexpr std::string_view flow_table = "midcomd";
// The set an element is in: flows_udp4, sinks_tcp6 ...
[[nodiscard]] std::string set_of(const FlowKey& key);
[[nodiscard]] std::vector<std::string> all_sets(std::uint32_t features); // those there are

// They work on an existing table or one made earlier in the batch, and leave of its old rules
// nothing: chains and sets are kept, so that flows are too.
void write_base_table(NftBatch& batch, const Policy& policy, std::uint32_t features);
// Not existing so far.
void write_guard_table(NftBatch& batch, const Policy& policy, std::uint32_t features);
// Sinks and the queue only with the Feature `gate`.
void write_flow_table(NftBatch& batch, const Policy& policy, std::uint32_t features);

} // namespace midcom::pinhole
