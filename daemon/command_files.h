// SPDX-License-Identifier: GPL-3.0-or-later
// What the sub-programs of midcomctl that work on message files read and write. A failure is a
// sentence for the person who called: the file's name and what is wrong with it.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "sip/e2m/envelope.h"
#include "sip/e2m/trust.h"

namespace midcom {

template <class T>
using FromFile = std::expected<T, std::string>;

// "-" is the standard input. Files of more than 1 MiB are refused.
[[nodiscard]] FromFile<std::string> read_input(const std::string& path);
// "" and "-" are the standard output. A file that is there is overwritten; `mode` is for a new one.
[[nodiscard]] FromFile<void> write_output(const std::string& path, std::string_view text,
                                          mode_t mode);

// All certificates of a PEM file, at least one.
[[nodiscard]] FromFile<std::vector<sip::e2m::Certificate>>
read_certificates(const std::string& path);
// The first certificate of each file.
[[nodiscard]] FromFile<std::vector<sip::e2m::Certificate>>
read_each_certificate(std::span<const std::string> paths);
[[nodiscard]] FromFile<sip::e2m::PrivateKey> read_private_key(const std::string& path);
// The first key belongs to the first certificate, and so on.
[[nodiscard]] FromFile<std::vector<sip::e2m::DecryptionKey>>
read_decryption_keys(std::span<const std::string> keys, std::span<const std::string> certificates);
// With lists, each certificate of a chain needs one in force; without, revocation isn't looked at.
[[nodiscard]] FromFile<sip::e2m::TrustStore> read_trust(std::span<const std::string> authorities,
                                                        std::span<const std::string> lists);

} // namespace midcom
