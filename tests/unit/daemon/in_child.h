// SPDX-License-Identifier: GPL-3.0-or-later
// Runs what can't be undone in a process of its own.
#pragma once

#include <functional>
#include <string>

namespace midcom::test {

// What `body` returns, from a child process; what it throws comes back as text, and so does an exit
// status that isn't 0 or a signal.
[[nodiscard]] std::string in_child(const std::function<std::string()>& body);

} // namespace midcom::test
