// SPDX-License-Identifier: GPL-3.0-or-later
// The system calls of an opener once its keys are read, and of the middlebox once its netlink
// sockets are open: reading and writing what is open, waiting, memory that is never executed, time,
// random octets, its own end. No file can be opened, no socket made, no process started, whatever
// a body or a packet does to its reader.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace midcom {

// strict: an allow-list; any other call ends the process by SIGSYS. A socket can't be made or
// connected either, but that only fails: a log sink that has lost its daemon may try.
// sanitizer: of a build whose runtime needs more than can be listed: all but sockets and programs.
enum class CallFilter : unsigned char { strict, sanitizer };
[[nodiscard]] CallFilter filter_of_this_build();
[[nodiscard]] std::string_view to_string(CallFilter filter);

// For good, for this process. No new privileges must be set. Throws std::runtime_error.
void limit_system_calls(CallFilter filter);

// What the filter should refuse and doesn't, in words; empty: all is proven. Children make the
// calls, so this comes before limit_system_calls(), with one thread: one with a filter that refuses
// instead of ending the process, for all of them, and one for the end (more would fill the kernel's
// log).
[[nodiscard]] std::vector<std::string> unfiltered_calls(CallFilter filter);
// Asked of the kernel after limit_system_calls(): a filter is in force and lets no socket be made.
[[nodiscard]] std::vector<std::string> leftover_calls();

// Both of these proofs around limit_system_calls(). Throws std::runtime_error.
void limit_system_calls_and_prove(CallFilter filter);

} // namespace midcom
