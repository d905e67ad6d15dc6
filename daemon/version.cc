// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/version.h"

namespace midcom {

const char* const version = MIDCOM_VERSION;

} // namespace midcom
