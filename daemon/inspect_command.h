// SPDX-License-Identifier: GPL-3.0-or-later
// `midcomctl inspect`: shows the structure of a message file: who can read which part, who signed
// it, whether that verifies and what it is bound to. Exit status by verdict: 0 good, 1 not trusted
// or not for the keys given, 65 malformed; 2 for a wrong command line or a file that can't be used.
#pragma once

namespace midcom {

// words[0] is the command's own name. Returns midcomctl's exit status.
[[nodiscard]] int run_inspect_command(int count, char** words);

} // namespace midcom
