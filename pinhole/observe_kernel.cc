// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/observe_kernel.h"

namespace midcom::pinhole {

KernelResult<std::vector<FlowCounter>> ObserveKernel::apply(std::span<const Change> changes) {
  return std::vector<FlowCounter>(changes.size());
}

KernelResult<std::vector<FlowCounter>> ObserveKernel::read(std::span<const FlowKey> keys) {
  return std::vector<FlowCounter>(keys.size());
}

KernelResult<std::vector<StoredFlow>> ObserveKernel::dump() {
  return std::vector<StoredFlow>{};
}

} // namespace midcom::pinhole
