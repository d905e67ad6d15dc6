// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/farewell.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace midcom {

namespace {

// Above what either end has counted to in a call this young: PRACK and UPDATE count too.
std::uint32_t late_cseq(std::uint32_t invite) {
  constexpr std::uint32_t late = 1000000000, margin = 1000;
  constexpr std::uint32_t most = 0x7fffffff; // RFC 3261 8.1.1.5
  if (invite >= most - margin) return most;
  return std::max(late, invite + margin);
}

std::string target_of(const sip::Message& message) {
  for (const auto value : message.values(sip::HeaderName::contact))
    if (const auto contact = sip::NameAddr::parse(value); contact && !contact->is_star)
      return std::string(contact->uri.text);
  return {};
}

std::optional<sip::NameAddr> address_of(std::string_view value) {
  auto address = sip::NameAddr::parse(value);
  return address ? std::optional(*std::move(address)) : std::nullopt;
}

Bye request(std::string_view method, FlowId flow, const sip::Message& target,
            const std::vector<std::string_view>& routes, std::string_view from, std::string_view to,
            std::uint32_t cseq) {
  std::string uri = target_of(target);
  if (uri.empty()) return {};
  std::vector<std::string> hops(routes.begin(), routes.end());
  // RFC 3261 12.2.1.1: a strict router is addressed itself.
  const auto first = routes.empty() ? std::nullopt : address_of(routes.front());
  if (first && !first->uri.parameter("lr")) {
    hops.push_back('<' + uri + '>');
    uri = first->uri.text;
    hops.erase(hops.begin());
  }
  Bye bye{flow, std::string(method) + " " + uri + " SIP/2.0\r\n", "Max-Forwards: 70\r\n"};
  for (const auto& route : hops) bye.fields.append("Route: ").append(route).append("\r\n");
  bye.fields.append("From: ").append(from).append("\r\nTo: ").append(to);
  bye.fields.append("\r\nCall-ID: ").append(target.call_id());
  bye.fields.append("\r\nCSeq: ").append(std::to_string(cseq)).append(1, ' ').append(method);
  bye.fields.append("\r\n");
  if (method == "BYE")
    bye.fields.append("Reason: SIP;cause=488;text=\"Answer can not be accepted\"\r\n");
  bye.fields.append("Content-Length: 0\r\n\r\n");
  return bye;
}

} // namespace

std::string Bye::with_via(std::string_view via) const {
  return start_line + "Via: " + std::string(via) + "\r\n" + fields;
}

Farewell farewell_for(const sip::Message& invite, FlowId caller, const sip::Message& response,
                      FlowId callee) {
  // The response has all values: first those of proxies beyond us, then ours, then those the INVITE
  // had when it came.
  const auto before = invite.values(sip::HeaderName::record_route);
  const auto all = response.values(sip::HeaderName::record_route);
  constexpr std::size_t own = 2;
  std::vector<std::string_view> beyond;
  if (all.size() >= before.size() + own)
    beyond.assign(all.rbegin() + static_cast<std::ptrdiff_t>(before.size() + own), all.rend());
  const std::string_view asker = response.from().text, answerer = response.to().text;
  const std::uint32_t cseq = invite.cseq().number;
  return {request("BYE", caller, invite, before, answerer, asker, late_cseq(cseq)),
          request("BYE", callee, response, beyond, asker, answerer, late_cseq(cseq)),
          request("ACK", callee, response, beyond, asker, answerer, cseq)};
}

} // namespace midcom
