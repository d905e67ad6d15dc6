// SPDX-License-Identifier: GPL-3.0-or-later
// How a role gives its privileges up, and how it proves that they are gone. The proof asks the
// kernel directly, not the library that did the dropping; a role that can't prove it doesn't run.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace midcom {

enum class Kept : std::uint8_t { nothing, net_admin };

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Core dumps off and memory unreadable to others, chroot to the directory open as
// `empty_directory`, no supplementary groups, the account's ids for good, every capability set
// empty or holding what is kept alone (permitted and effective), no new privileges. The process
// must have one thread. Throws std::runtime_error naming the step that failed.
void drop_privileges(int empty_directory, Account account, Kept kept);

// What is still open of the above, in words; empty: all is proven. Tries to get root back, to see a
// file, and (kept nothing) to write to nftables.
[[nodiscard]] std::vector<std::string> leftover_privileges(Account account, Kept kept);

// Throws std::runtime_error listing what is left over.
void prove_dropped(Account account, Kept kept);

// The supervisor keeps only what starting its children again takes: SETUID, SETGID, SETPCAP,
// SYS_CHROOT, NET_ADMIN to hand on, KILL for a child that hangs. Throws std::runtime_error.
void limit_supervisor();

} // namespace midcom
