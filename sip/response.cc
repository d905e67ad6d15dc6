// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/response.h"

#include <array>
#include <utility>

#include "sip/uri.h"

namespace midcom::sip {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 65> phrases{{
    {100, "Trying"},
    {180, "Ringing"},
    {181, "Call Is Being Forwarded"},
    {182, "Queued"},
    {183, "Session Progress"},
    {199, "Early Dialog Terminated"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Notification"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {305, "Use Proxy"},
    {380, "Alternative Service"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {412, "Conditional Request Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {417, "Unknown Resource-Priority"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {422, "Session Interval Too Small"},
    {423, "Interval Too Brief"},
    {428, "Use Identity Header"},
    {429, "Provide Referrer Identity"},
    {430, "Flow Failed"},
    {433, "Anonymity Disallowed"},
    {436, "Bad Identity Info"},
    {437, "Unsupported Credential"},
    {438, "Invalid Identity Header"},
    {439, "First Hop Lacks Outbound Support"},
    {440, "Max-Breadth Exceeded"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {485, "Ambiguous"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"},
    {491, "Request Pending"},
    {493, "Undecipherable"},
    {494, "Security Agreement Required"},
    {495, "Signature Required"},
    {496, "Proxy Undecipherable"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
}};
constexpr std::array<std::pair<int, std::string_view>, 5> global_phrases{{
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
    {607, "Unwanted"},
}};

struct Copied {
  std::string_view vias, from, to, call_id, cseq;
};

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

std::string write_response(int status, const Copied& copied, std::string_view new_tag,
                           std::string_view extra, const Content& content = {}) {
  std::string out = "SIP/2.0 " + std::to_string(status) + " ";
  out.append(reason_phrase(status)).append("\r\n").append(copied.vias);
  add_field(out, "From", copied.from);
  std::string to(copied.to);
  if (!to.empty() && !new_tag.empty()) to.append(";tag=").append(new_tag);
  add_field(out, "To", to);
  add_field(out, "Call-ID", copied.call_id);
  add_field(out, "CSeq", copied.cseq);
  out.append(extra);
  add_field(out, "Content-Type", content.type);
  add_field(out, "Content-Length", std::to_string(content.octets.size()));
  return out.append("\r\n").append(content.octets);
}

// All Via fields as they came, the first value of all replaced when there is a replacement.
std::string copy_vias(const Message& request, std::string_view first_via) {
  std::string out;
  for (const HeaderField& field : request.fields()) {
    if (field.id != HeaderName::via) continue;
    const std::string_view top = request.top_via().text;
    if (out.empty() && !first_via.empty()) {
      const auto offset = static_cast<std::size_t>(top.data() - field.line.data());
      out.append(field.line.substr(0, offset)).append(first_via);
      out.append(field.line.substr(offset + top.size()));
    } else {
      out.append(field.line);
    }
  }
  return out;
}

std::string_view value_of(const Message& message, HeaderName name) {
  const HeaderField* field = message.first(name);
  return field != nullptr ? field->value : std::string_view{};
}

// The parts ACK and CANCEL have in common: Request-URI, top Via, Route, From, Call-ID and CSeq
// number of the INVITE (RFC 3261 9.1, 17.1.1.3).
std::string write_hop_request(const Message& invite, std::string_view method, std::string_view to,
                              std::string_view extra) {
  std::string out(method);
  out.append(" ").append(invite.request_uri().text).append(" SIP/2.0\r\n");
  add_field(out, "Via", invite.top_via().text);
  for (const HeaderField& field : invite.fields())
    if (field.id == HeaderName::route) out.append(field.line);
  add_field(out, "Max-Forwards", "70");
  add_field(out, "From", invite.from().text);
  add_field(out, "To", to);
  add_field(out, "Call-ID", invite.call_id());
  add_field(out, "CSeq", std::to_string(invite.cseq().number).append(" ").append(method));
  return out.append(extra).append("Content-Length: 0\r\n\r\n");
}

} // namespace

std::string_view reason_phrase(int status) {
  for (const auto& [code, phrase] : phrases)
    if (code == status) return phrase;
  for (const auto& [code, phrase] : global_phrases)
    if (code == status) return phrase;
  return {};
}

std::string make_response(const Message& request, int status, std::string_view to_tag,
                          std::string_view extra, std::string_view first_via,
                          const Content& content) {
  const std::string vias = copy_vias(request, first_via);
  const Copied copied{vias, request.from().text, request.to().text, request.call_id(),
                      value_of(request, HeaderName::cseq)};
  const std::string_view new_tag = request.to().tag().empty() ? to_tag : std::string_view{};
  std::string fields;
  // RFC 3261 8.2.6.1: a 100 carries the request's Timestamp.
  if (const HeaderField* timestamp = request.first("Timestamp"); timestamp && status == 100)
    fields.append(timestamp->line);
  return write_response(status, copied, new_tag, fields.append(extra), content);
}

std::string make_response(const RejectedRequest& request, int status, std::string_view to_tag,
                          std::string_view extra) {
  const Copied copied{request.via_lines, request.from, request.to, request.call_id, request.cseq};
  const auto address = NameAddr::parse(request.to);
  const bool has_tag =
      address ? !address->tag().empty() : request.to.find("tag=") != std::string::npos;
  return write_response(status, copied, has_tag ? std::string_view{} : to_tag, extra);
}

std::string make_ack(const Message& sent_invite, const Message& response) {
  return write_hop_request(sent_invite, "ACK", response.to().text, {});
}

std::string make_cancel(const Message& sent_invite, std::string_view extra) {
  return write_hop_request(sent_invite, "CANCEL", sent_invite.to().text, extra);
}

} // namespace midcom::sip
