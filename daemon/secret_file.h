// SPDX-License-Identifier: GPL-3.0-or-later
// The one secret of an installation: 32 random octets in STATE_DIRECTORY/secret, made at first
// start. Flow tokens and group ids stay valid across restarts as long as it does.
#pragma once

#include <expected>
#include <string>

#include "daemon/file_descriptor.h"
#include "daemon/secrets.h"

namespace midcom {

// Opens the directory, making it (0700) when it is missing; refuses one that others may write to.
[[nodiscard]] std::expected<FileDescriptor, std::string>
open_state_directory(const std::string& path);

// The secret in `directory`; made atomically when there is none (two first starts agree on one).
// Refused: a file that is no regular file, of another owner, open to others, or not 32 octets long.
[[nodiscard]] std::expected<SecretKey, std::string> load_or_make_secret(int directory);

// HKDF-SHA256, one label for each key.
[[nodiscard]] Secrets derive_secrets(const SecretKey& secret);

// Opens the empty directory the roles are chrooted to (STATE_DIRECTORY/empty), making it when it is
// missing; refuses one that isn't empty, or that anyone but root may write to.
[[nodiscard]] std::expected<FileDescriptor, std::string> open_empty_directory(int state_directory);

// For the hand-over in a memory file.
[[nodiscard]] std::string encode_secrets(const Secrets& secrets);
[[nodiscard]] std::expected<Secrets, std::string> decode_secrets(const std::string& bytes);

} // namespace midcom
