// SPDX-License-Identifier: GPL-3.0-or-later
// Key material of a session description: what a user agent leaves out of the description that it
// shares with middles, and what nobody gets to see on a screen. It is k= (RFC 4566), a=crypto (RFC
// 4568), a=key-mgmt (RFC 4567), and these two as attribute capabilities (a=acap, RFC 5939). What is
// public and must not be changed, a=fingerprint and a=zrtp-hash, is none.
#pragma once

#include <string>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

// The description without the lines that carry keys; all others as they came. Type letters and
// attribute names count in either case here, so that a reader more lenient than RFC 8866 finds no
// key either. An Error of Sdp::parse for what can't be read: of that nothing may be shared.
[[nodiscard]] Result<std::string> without_key_material(std::string_view sdp);

// Whether the private description is the shared one with keys added and nothing else: the same
// lines in the same order, whatever ends them. False when either can't be read or the shared one
// has keys itself.
[[nodiscard]] bool is_same_but_keys(std::string_view shared, std::string_view private_sdp);

// For a screen: any text, a description or not, with "[key]" in the place of what is, or looks
// like, key material. The end of each line stays.
[[nodiscard]] std::string with_keys_hidden(std::string_view text);

} // namespace midcom::sip
