// SPDX-License-Identifier: GPL-3.0-or-later
// The same bytes as an entity of their own and as the body of a message: every view lies in them,
// limits hold, a part reads alone as it reads in its multipart, and no boundary stands in a part.
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/message.h"
#include "sip/mime.h"
#include "sip/transfer_encoding.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::is_within;
using midcom::fuzz::require;

constexpr MimeLimits limits{
    .octets = 8192, .depth = 4, .parts = 8, .header_block = 512, .fields = 8};

void check_leaf(const MimePart& part) {
  require(part.parts.empty());
  const auto content = decode(part, part.body.size());
  if (!content) return;
  require(content->size() <= part.body.size());
  require(part.encoding != TransferEncoding::identity || *content == part.body);
}

void check_multipart(const MimePart& part) {
  require(!part.parts.empty() && part.encoding == TransferEncoding::identity);
  require(part.subtype != "signed" || part.parts.size() == 2);
  const std::string dashed = "--" + std::string(part.parameter("boundary").value_or(""));
  require(dashed.size() > 2 && dashed.size() <= 72);
  for (const MimePart& inner : part.parts)
    require(inner.entity.find(dashed) == std::string_view::npos);
}

std::size_t check(std::string_view text, const MimePart& part, std::size_t depth) {
  require(depth <= limits.depth);
  require(!part.type.empty() && !part.subtype.empty());
  require(is_within(part.entity, text));
  require(is_within(part.body, text));
  require(part.entity.empty() || part.entity.ends_with(part.body));
  if (!part.is_multipart()) {
    check_leaf(part);
    return 0;
  }
  check_multipart(part);
  std::size_t count = part.parts.size();
  for (const MimePart& inner : part.parts) {
    count += check(text, inner, depth + 1);
    if (part.subtype == "digest") continue; // its parts have another default type
    const auto alone = parse_mime_entity(inner.entity, limits);
    require(alone && alone->type == inner.type && alone->subtype == inner.subtype);
    require(alone->body == inner.body && alone->parts.size() == inner.parts.size());
  }
  return count;
}

void check_root(std::string_view text, const MimePart& root) {
  require(check(text, root, 0) <= limits.parts);
}

void check_message(const std::string& body) {
  const auto message =
      Message::parse("INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                     "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INFO\r\n"
                     "Content-Type: multipart/mixed;boundary=b\r\n\r\n" +
                         body,
                     Framing::datagram, {});
  if (!message) return;
  if (const auto root = parse_mime_body(**message, limits)) check_root((*message)->body(), *root);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto root = parse_mime_entity(text, limits)) {
    require(text.size() <= limits.octets && root->entity == text);
    check_root(text, *root);
  }
  check_message(text);
  return 0;
}
