// SPDX-License-Identifier: GPL-3.0-or-later
// The label: Proxy-Inspect-Body of draft-ietf-sip-e2m-sec-06, Proxy-Required-Body before. It tells
// a middle which parts of the body are for it. One field line is one value: a comma separates the
// content ids of one middle.
//
//   Proxy-Inspect-Body = host SEMI cid-param *( COMMA cid-param ) *( SEMI generic-param )
//   cid-param          = "cid" EQUAL LDQUOT dot-atom "@" ( dot-atom / host ) RDQUOT
//
// Read are also what the draft's own examples show, a content id without quotes, and one with "<"
// and ">". Written is the grammar.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/message.h"

namespace midcom::sip {

// More nested bodies than this name no message that would be read: the limit of MIME parts.
inline constexpr std::size_t maximum_content_ids = 32;

struct InspectBody {
  std::string host; // lower case, no final dot; an IPv6 address without brackets, canonical
  std::vector<std::string> content_ids; // outermost first, without "<" and ">", never empty

  friend bool operator==(const InspectBody&, const InspectBody&) = default;
};

[[nodiscard]] Result<InspectBody> parse_inspect_body(std::string_view field_value);
// The field's value. Error::syntax or bad_host for what the grammar can't say.
[[nodiscard]] Result<std::string> write_inspect_body(const InspectBody& label);

// `host` as InspectBody::host has it: how configured names are compared with it.
[[nodiscard]] Result<std::string> canonical_middle_name(std::string_view host);

// A label of ours and its field line, which may be deleted when the message is forwarded.
struct Label {
  const HeaderField* field = nullptr;
  InspectBody inspect;
};

// Those of the message that name one of `own_names` (canonical). One that names us and is wrong in
// the rest is an Error; others' are not looked into.
[[nodiscard]] Result<std::vector<Label>> labels_for(const Message& message,
                                                    std::span<const std::string> own_names);

} // namespace midcom::sip
