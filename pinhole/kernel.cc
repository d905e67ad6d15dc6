// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/kernel.h"

namespace midcom::pinhole {

std::string_view to_string(KernelError error) {
  switch (error) {
  case KernelError::no_permission:
    return "no-permission";
  case KernelError::unsupported:
    return "unsupported";
  case KernelError::failed:
    break;
  }
  return "failed";
}

} // namespace midcom::pinhole
