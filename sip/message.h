// SPDX-License-Identifier: GPL-3.0-or-later
// Glossary: a *field* is one header field line (with its folded continuation lines); a *value* is
// one comma-separated element of it. Every view a Message gives lives as long as the Message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/header_name.h"
#include "sip/name_addr.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace midcom::sip {

// Limits before work. All sizes in octets. Defaults are midcomd's own.
struct MessageLimits {
  std::size_t message = 65536; // start line, headers and body together
  std::size_t headers = 16384; // start line and headers
  std::size_t body = 49152;
  std::size_t line = 4096;  // one field with its continuations
  std::size_t fields = 128; // header fields
  std::size_t values = 64;  // values of one list header, and Via/Route/Record-Route together
};

struct HeaderField {
  HeaderName id = HeaderName::other;
  std::string_view name;  // as it came
  std::string_view value; // leading and trailing white space trimmed; folds are still inside
  std::string_view line;  // the whole field line(s) with the final CRLF
};

struct CSeq {
  std::uint32_t number = 0; // below 2^31 (RFC 3261 8.1.1.5)
  std::string_view method;
};

// How the bytes came: on a datagram Content-Length may be absent and trailing bytes are cut
// (RFC 3261 18.3); on a stream it must be there and exact.
enum class Framing : std::uint8_t { stream, datagram };

// One SIP message: owns its bytes, never changes them, is neither copied nor moved. parse() is the
// one gate: structure, essential headers (Via, From, To, Call-ID, CSeq; Max-Forwards may lack: RFC
// 3261 16.3), duplicates of single-valued headers, lengths, all Via values, From, To, and for
// requests the Request-URI's syntax. Method-specific headers: RSeq and RAck numbers when present.
// What passes is safe to reason about.
class Message {
public:
  [[nodiscard]] static Result<std::shared_ptr<const Message>>
  parse(std::string bytes, Framing framing, const MessageLimits& limits,
        std::string* rejected = nullptr); // given back the bytes when they don't pass

  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  [[nodiscard]] bool is_request() const { return status_ == 0; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] std::string_view start_line() const { return start_line_; } // without CRLF

  // Requests. method() is empty for a response.
  [[nodiscard]] std::string_view method() const { return method_; }
  [[nodiscard]] const Uri& request_uri() const { return request_uri_; }

  // Responses. status() is 0 for a request, else 100..699.
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::string_view reason() const { return reason_; }

  [[nodiscard]] std::span<const HeaderField> fields() const { return fields_; }
  [[nodiscard]] const HeaderField* first(HeaderName name) const;       // nullptr when not there
  [[nodiscard]] const HeaderField* first(std::string_view name) const; // by text, case-insensitive
  // All values of a list header in order, over all its fields. The gate has checked that Via,
  // Route, Record-Route and Path split well; for others a field that doesn't split gives one value,
  // whole.
  [[nodiscard]] std::vector<std::string_view> values(HeaderName name) const;
  // True when a comma-separated token list (Require, Supported, ...) names `token`.
  [[nodiscard]] bool has_token(HeaderName name, std::string_view token) const;

  [[nodiscard]] const Via& top_via() const { return vias_.front(); }
  [[nodiscard]] std::span<const Via> vias() const { return vias_; }
  [[nodiscard]] const NameAddr& from() const { return from_; }
  [[nodiscard]] const NameAddr& to() const { return to_; }
  [[nodiscard]] std::string_view call_id() const { return call_id_; }
  [[nodiscard]] const CSeq& cseq() const { return cseq_; }
  [[nodiscard]] std::optional<std::uint32_t> max_forwards() const {
    return max_forwards_;
  } // 0..255
  [[nodiscard]] std::string_view content_type() const; // media type in the field as it came, or ""
  [[nodiscard]] std::string_view body() const { return body_; }

private:
  Message() = default;
  std::string bytes_;
  std::string_view start_line_, method_, reason_, call_id_, body_;
  Uri request_uri_;
  int status_ = 0;
  std::vector<HeaderField> fields_;
  std::vector<Via> vias_;
  NameAddr from_, to_;
  CSeq cseq_;
  std::optional<std::uint32_t> max_forwards_;
  friend class MessageParser;
};

using MessagePtr = std::shared_ptr<const Message>;

// What can still be said of bytes that did not pass the gate, to answer them: the fields a response
// must copy, when each could be found. Nothing for bytes that aren't a request.
struct RejectedRequest {
  std::string via_lines;               // all Via field lines as they came
  std::string from, to, call_id, cseq; // values
  std::string method;
};
[[nodiscard]] std::optional<RejectedRequest> salvage_request(std::string_view bytes);
// The status such bytes deserve: 400, 413 (body), 513 (too large), 505, 414 ...
[[nodiscard]] int status_for(Error error);

} // namespace midcom::sip
