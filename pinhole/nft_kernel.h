// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fstream>
#include <memory>
#include <optional>

#include "pinhole/features.h"
#include "pinhole/kernel.h"
#include "pinhole/netlink_socket.h"
#include "pinhole/nft_message.h"
#include "pinhole/packet_queue.h"

namespace midcom::pinhole {

// nftables. One socket makes all changes for the life of the process, because a table's ownership
// hangs on it; a second one listens for what others do. Needs CAP_NET_ADMIN at open() and later.
class NftKernel final : public Kernel {
public:
  [[nodiscard]] static KernelResult<std::unique_ptr<NftKernel>>
  open(std::ifstream queue_statistics = {});

  [[nodiscard]] KernelResult<std::uint32_t> start(const Policy& policy) override;
  [[nodiscard]] KernelResult<std::vector<FlowCounter>>
  apply(std::span<const Change> changes) override;
  [[nodiscard]] KernelResult<std::vector<FlowCounter>> read(std::span<const FlowKey> keys) override;
  [[nodiscard]] KernelResult<std::vector<StoredFlow>> dump() override;
  [[nodiscard]] int event_fd() const override { return events_.fd(); }
  [[nodiscard]] Damage take_damage() override;
  [[nodiscard]] KernelResult<void> repair(Damage damage) override;
  [[nodiscard]] Queue* queue() override { return queue_.get(); }
  [[nodiscard]] std::uint64_t stopwatch_us() const override;

private:
  using Table = void (*)(NftBatch& batch, const Policy& policy, std::uint32_t features);
  // What an existing table is good for when its rules can't be written over it.
  enum class Contents : std::uint8_t { rules_only, flows };

  NftKernel(NetlinkSocket socket, NetlinkSocket events, std::ifstream queue_statistics)
      : socket_(std::move(socket)), events_(std::move(events)),
        queue_statistics_(std::move(queue_statistics)) {}
  [[nodiscard]] bool has(Feature feature) const { return (features_ & feature) != 0; }
  [[nodiscard]] KernelResult<void> install(std::string_view table, Table write, Contents contents);
  [[nodiscard]] std::uint32_t wanted_flags() const;
  void open_queue();
  void install_guard();
  [[nodiscard]] bool put_base_back();
  [[nodiscard]] std::optional<std::uint32_t> flags_of(std::string_view table);
  [[nodiscard]] bool restarts_counter(const Change& change) const;
  void write_change(NftBatch& batch, const Change& change, const FlowCounter& counted);
  void write_remove(NftBatch& batch, const FlowKey& key);
  // Without a gate there are no sets of sinks: what asks for one stays closed.
  [[nodiscard]] bool is_there(const FlowKey& key) const { return !is_sink(key) || has(gate); }
  [[nodiscard]] nft::Limit limit_of(const FlowKey& key) const;
  void forget_connections(std::span<const Change> changes);
  [[nodiscard]] std::optional<std::uint32_t> generation();
  [[nodiscard]] KernelResult<std::vector<StoredFlow>> dump_once();

  NetlinkSocket socket_, events_;
  std::ifstream queue_statistics_;
  std::unique_ptr<PacketQueue> queue_;
  Policy policy_;
  std::uint32_t features_ = 0;
  bool is_started_ = false; // the base table is ours, with wanted_flags()
};

} // namespace midcom::pinhole
