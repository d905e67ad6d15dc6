// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace midcom::sip {

[[nodiscard]] std::string_view reason_phrase(int status); // "" for an unknown status

struct Content {
  std::string_view type, octets; // both empty: none
};

// A response of our own to `request` (RFC 3261 8.2.6): all Via fields, From, To (with `to_tag`
// added when it is not empty and To has none), Call-ID, CSeq, `extra` (whole field lines with
// CRLF), `content`, Content-Length. `first_via` replaces the first Via value when not empty
// (received/rport added).
[[nodiscard]] std::string make_response(const Message& request, int status, std::string_view to_tag,
                                        std::string_view extra = {},
                                        std::string_view first_via = {},
                                        const Content& content = {});
// The same for a request that did not pass the gate.
[[nodiscard]] std::string make_response(const RejectedRequest& request, int status,
                                        std::string_view to_tag, std::string_view extra = {});

// ACK for a non-2xx final response (RFC 3261 17.1.1.3). `request` are the bytes of the INVITE as
// this hop sent it (first Via ours); To is the response's.
[[nodiscard]] std::string make_ack(const Message& sent_invite, const Message& response);
// CANCEL for a request this hop sent (RFC 3261 9.1). `extra`: field lines to add (Reason).
[[nodiscard]] std::string make_cancel(const Message& sent_invite, std::string_view extra = {});

} // namespace midcom::sip
