// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "pinhole/kernel.h"

namespace midcom::pinhole {

// Mode observe: requests are judged and answered, nothing is written anywhere.
class ObserveKernel final : public Kernel {
public:
  [[nodiscard]] KernelResult<std::uint32_t> start(const Policy&) override { return 0; }
  [[nodiscard]] KernelResult<std::vector<FlowCounter>>
  apply(std::span<const Change> changes) override;
  [[nodiscard]] KernelResult<std::vector<FlowCounter>> read(std::span<const FlowKey> keys) override;
  [[nodiscard]] KernelResult<std::vector<StoredFlow>> dump() override;
  [[nodiscard]] int event_fd() const override { return -1; }
  [[nodiscard]] Damage take_damage() override { return {}; }
  [[nodiscard]] KernelResult<void> repair(Damage) override { return {}; }
};

} // namespace midcom::pinhole
