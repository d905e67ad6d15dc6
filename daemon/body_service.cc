// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/body_service.h"

#include <utility>

namespace midcom {

bool BodyService::is_busy(std::string_view call_id) const {
  return turns_.is_busy(call_id) || (behind_ != nullptr && behind_->is_busy(call_id));
}

bool BodyService::is_full(std::string_view call_id) const {
  return turns_.is_full(call_id) || (behind_ != nullptr && behind_->is_full(call_id));
}

void BodyService::defer(std::string_view call_id, Turn turn) {
  if (behind_ == nullptr || turns_.is_busy(call_id))
    turns_.defer(call_id, std::move(turn));
  else
    behind_->defer(call_id, std::move(turn));
}

} // namespace midcom
