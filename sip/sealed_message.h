// SPDX-License-Identifier: GPL-3.0-or-later
// What a user agent makes of a plain message to sign and seal its body, as far as it takes no
// cryptography: the body as an entity of its own, the identity body that binds it to the message,
// and the message with another body in its place.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sip/aib.h"
#include "sip/error.h"
#include "sip/inspect_body.h"
#include "sip/message.h"
#include "sip/mime_writer.h"

namespace midcom::sip {

// The message's body with its Content-* fields. Errors: missing_header when there is no body or no
// Content-Type, unsupported when it has a Content-Encoding: no middle would read it.
[[nodiscard]] Result<MimeEntity> body_entity(const Message& message);

// The time the identity body must name: the message's Date, or `now` when it has none, which then
// is to be added. Error::bad_date for a Date that is none.
[[nodiscard]] Result<std::int64_t> date_of(const Message& message, std::int64_t now);

// The identity that binds a body to this message, as check_aib wants it: of a request its From, To,
// Contact, Call-ID and CSeq; of a response the responder's (RFC 3893 6). The labels stand in it
// too: inside a signature a label is believed on any way. Error::unsupported when the message has
// several Contacts, or "*".
[[nodiscard]] Result<Aib> identity_of(const Message& message, std::int64_t date,
                                      std::span<const InspectBody> labels);
[[nodiscard]] Result<MimeEntity> identity_entity(const Aib& aib);

// A CMS message as an entity: `type` with its parameters, `der` as it is (RFC 8551 3.2).
[[nodiscard]] MimeEntity cms_entity(std::string type, std::string der);
inline constexpr std::string_view signed_data_type =
    "application/pkcs7-mime; smime-type=signed-data";
inline constexpr std::string_view enveloped_type =
    "application/pkcs7-mime; smime-type=auth-enveloped-data";

// The message with `entity` for its body: its Content-* fields and Content-Length in the place of
// the old ones, one line for each label, and a Date when there is none. All else stays as it is.
[[nodiscard]] Result<std::string> with_body(const Message& message, const MimeEntity& entity,
                                            std::span<const InspectBody> labels, std::int64_t date);

} // namespace midcom::sip
