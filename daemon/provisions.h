// SPDX-License-Identifier: GPL-3.0-or-later
// All that the supervisor reads, opens and looks up before it starts the first child, kept for
// starting the same children again: a restart depends on no file.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/control_socket.h"
#include "daemon/exit_status.h"
#include "daemon/file_descriptor.h"
#include "daemon/sandbox.h"

namespace midcom {

struct OpenerProvisions {
  Account account;
  FileDescriptor slice, certificate, key, authorities, revocation_lists; // memory files
  std::vector<FileDescriptor> users; // memory files: certificate and key of each
};

struct Provisions {
  Account agent, middlebox;
  bool has_middlebox = true; // false in the role `endpoint`: there is no such process
  std::uint8_t openers = 0;  // 0: no [smime], and nothing in `opener`
  OpenerProvisions opener;
  FileDescriptor empty_directory;
  FileDescriptor agent_slice, secrets, certificate, key, trusted_ca; // memory files
  FileDescriptor middlebox_slice;                                    // memory file
  std::vector<FileDescriptor> listeners;
  ControlSocket control;       // none: see control_failure, which stops nobody's calls
  std::string control_failure; // in words
};

struct StartFailure {
  ExitStatus status = exit_failure;
  std::vector<std::string> reasons;
};

// Must be root's. MIDCOMD_MASK_FEATURES of the environment goes into the middlebox's policy.
[[nodiscard]] std::expected<Provisions, StartFailure> gather_provisions(const Config& config);

} // namespace midcom
