// SPDX-License-Identifier: GPL-3.0-or-later
// `midcomctl certs`: makes a certificate authority, a gateway's and users' certificates and a
// revocation list in a folder, for trying end-to-middle security out. Overwrites nothing: when one
// of the files is there already, or one can't be written, none is made.
#pragma once

namespace midcom {

// words[0] is the command's own name. Returns midcomctl's exit status.
[[nodiscard]] int run_certificate_command(int count, char** words);

} // namespace midcom
