// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace midcom {

extern const char* const version; // of the CMake project

} // namespace midcom
