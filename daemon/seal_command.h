// SPDX-License-Identifier: GPL-3.0-or-later
// `midcomctl seal`: makes a plain SIP message file a signed and sealed one. Exit status: 0 made, 1
// not made, 65 the file is no such message; 2 for a wrong command line or a file that can't be
// used.
#pragma once

namespace midcom {

// words[0] is the command's own name. Returns midcomctl's exit status.
[[nodiscard]] int run_seal_command(int count, char** words);

} // namespace midcom
