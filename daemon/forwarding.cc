// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/forwarding.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "sip/edit_list.h"

namespace midcom {
namespace {

std::string host_and_port(const ListenerConfig& listener) {
  const std::string host =
      listener.advertised.empty() ? listener.address.address.to_string() : listener.advertised;
  const bool is_ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(listener.address.port);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

bool forms_dialog(std::string_view method) {
  return method == "INVITE" || method == "SUBSCRIBE" || method == "REFER" ||
         method == "NOTIFY"; // RFC 6665 4.3: it may come before the 2xx
}

// RFC 5626 5.1: `ob` only when the user agent itself asks for an outbound flow.
bool wants_outbound(const sip::Message& request) {
  const auto contacts = request.values(sip::HeaderName::contact);
  return std::ranges::any_of(contacts, [](std::string_view value) {
    const auto contact = sip::NameAddr::parse(value);
    return contact && contact->parameter("reg-id").has_value();
  });
}

void add_path(sip::EditList& edit, const sip::Message& request, const ForwardEdits& edits) {
  std::string uri = own_uri(*edits.out_listener, edits.in_token, request.request_uri().is_secure());
  if (edits.is_first_hop && wants_outbound(request)) uri += ";ob";
  edit.insert_field_before(sip::HeaderName::path, "Path: <" + uri + ">\r\n");
}

// Two values, one for each side, so that each side finds us at an address it can reach and each
// direction knows its flow (RFC 5658).
void add_record_route(sip::EditList& edit, const sip::Message& request, const ForwardEdits& edits) {
  const bool is_secure = request.request_uri().is_secure();
  edit.insert_field_before(sip::HeaderName::record_route,
                           "Record-Route: <" +
                               own_uri(*edits.out_listener, edits.out_token, is_secure) +
                               ">\r\nRecord-Route: <" +
                               own_uri(*edits.in_listener, edits.in_token, is_secure) + ">\r\n");
}

void replace_routes(sip::EditList& edit, const sip::Message& request, const RequestRoute& route) {
  bool is_first = true;
  for (const auto& field : request.fields()) {
    if (field.id != sip::HeaderName::route) continue;
    std::string text;
    if (std::exchange(is_first, false))
      for (const auto& value : route.routes) text += "Route: " + value + "\r\n";
    edit.replace(field.line, std::move(text));
  }
}

void decrement_max_forwards(sip::EditList& edit, const sip::Message& request) {
  const auto* field = request.first(sip::HeaderName::max_forwards);
  if (field == nullptr)
    edit.append_field("Max-Forwards: 70\r\n");
  else
    edit.replace(field->value, std::to_string(request.max_forwards().value_or(1) - 1));
}

void add_content_length(sip::EditList& edit, const sip::Message& message) {
  if (message.first(sip::HeaderName::content_length) == nullptr)
    edit.append_field("Content-Length: " + std::to_string(message.body().size()) + "\r\n");
}

// Where the name of the rport parameter ends; white space may surround each semicolon.
std::optional<std::size_t> end_of_rport(std::string_view via) {
  const auto skip = [&](std::size_t at) {
    const auto next = via.find_first_not_of(" \t\r\n", at);
    return next == std::string_view::npos ? via.size() : next;
  };
  bool is_quoted = false;
  for (std::size_t at = 0; at < via.size(); ++at) {
    if (is_quoted && via[at] == '\\')
      ++at;
    else if (via[at] == '"')
      is_quoted = !is_quoted;
    else if (!is_quoted && via[at] == ';') {
      const std::size_t name = skip(at + 1), end = name + 5;
      if (!sip::iequals(via.substr(name, 5), "rport")) continue;
      if (const auto next = skip(end); next == via.size() || via[next] == ';') return end;
    }
  }
  return std::nullopt;
}

} // namespace

std::string fixed_first_via(const sip::Message& request, const sip::Endpoint& source) {
  const sip::Via& via = request.top_via();
  const auto literal = sip::IpAddress::parse(via.host);
  const auto rport = via.parameter("rport");
  const bool asks_port = rport && rport->empty();
  const bool differs = !literal || *literal != source.address;
  if (!asks_port && !differs) return {};
  std::string text(via.text);
  if (const auto at = asks_port ? end_of_rport(via.text) : std::nullopt)
    text.insert(*at, "=" + std::to_string(source.port));
  if ((asks_port || differs) && !via.parameter("received"))
    text += ";received=" + source.address.to_string();
  return text;
}

std::string own_via(const ListenerConfig& listener, std::string_view branch) {
  return "SIP/2.0/" + upper(to_string(listener.transport)) + " " + host_and_port(listener) +
         ";branch=" + std::string(branch);
}

std::string own_uri(const ListenerConfig& listener, std::string_view token, bool is_secure) {
  std::string uri = is_secure ? "sips:" : "sip:";
  if (!token.empty()) uri.append(token).append(1, '@');
  uri += host_and_port(listener);
  // RFC 5630 wants no transport=tls, but every deployed user agent and proxy needs it to find the
  // TLS port of a sip: URI without NAPTR.
  if (!is_secure) uri.append(";transport=").append(to_string(listener.transport));
  return uri + ";lr";
}

sip::Result<std::string> forwarded_request(const sip::Message& request, const RequestRoute& route,
                                           const ForwardEdits& edits) {
  sip::EditList edit(request);
  if (route.new_request_uri) edit.replace(request.request_uri().text, *route.new_request_uri);
  edit.insert_field_before(sip::HeaderName::via,
                           "Via: " + own_via(*edits.out_listener, edits.branch) + "\r\n");
  if (std::string via = fixed_first_via(request, edits.source); !via.empty())
    edit.replace(request.top_via().text, std::move(via));
  if (forms_dialog(request.method())) add_record_route(edit, request, edits);
  if (request.method() == "REGISTER") add_path(edit, request, edits);
  if (route.has_new_routes) replace_routes(edit, request, route);
  decrement_max_forwards(edit, request);
  add_content_length(edit, request);
  return edit.apply();
}

sip::Result<std::string> forwarded_response(const sip::Message& response) {
  sip::EditList edit(response);
  edit.erase_first_value(sip::HeaderName::via);
  add_content_length(edit, response);
  return edit.apply();
}

} // namespace midcom
