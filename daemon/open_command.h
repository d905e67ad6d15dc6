// SPDX-License-Identifier: GPL-3.0-or-later
// `midcomctl open`: writes what a sealed and signed message file is about. Only what a believed
// signer signed for this message, unless --unverified says otherwise. Exit status as of `inspect`.
#pragma once

namespace midcom {

// words[0] is the command's own name. Returns midcomctl's exit status.
[[nodiscard]] int run_open_command(int count, char** words);

} // namespace midcom
