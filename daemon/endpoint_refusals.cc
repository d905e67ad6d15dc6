// SPDX-License-Identifier: GPL-3.0-or-later
// What an endpoint learns from 493, 495 and 496: a certificate is taken only when an opener trusts
// it and its name is one that was to be expected, and a request goes out again only with something
// new in it.
#include <algorithm>

#include "daemon/endpoint_service.h"
#include "sip/mime.h"
#include "sip/transfer_encoding.h"

namespace midcom {

namespace {

constexpr std::size_t certificate_limit = opener::max_body;

const sip::MimePart* find_certificate(const sip::MimePart& part) {
  const bool is_bundle = part.is("application", "pkcs7-mime") &&
                         sip::iequals(part.parameter("smime-type").value_or(""), "certs-only");
  if (part.is("application", "pkix-cert") || is_bundle) return &part;
  for (const auto& child : part.parts)
    if (const auto* found = find_certificate(child)) return found;
  return nullptr;
}

// Empty: there is none.
std::string certificate_in(const sip::Message& response) {
  if (response.body().empty()) return {};
  const auto tree = sip::parse_mime_body(response, {});
  const auto* part = tree ? find_certificate(*tree) : nullptr;
  auto der = part != nullptr ? sip::decode(*part, certificate_limit)
                             : std::unexpected(sip::Error::missing_header);
  return der ? *std::move(der) : std::string();
}

// Who says "Warning: 380 HOST ..."; empty: nobody.
std::string warning_host(const sip::Message& response) {
  constexpr std::string_view code = "380 ";
  for (const auto& field : response.fields()) {
    if (!sip::iequals(field.name, "Warning") || !field.value.starts_with(code)) continue;
    const std::string_view rest = field.value.substr(code.size());
    const auto host = sip::canonical_middle_name(rest.substr(0, rest.find(' ')));
    if (host) return *host;
  }
  return {};
}

std::string_view domain_of(std::string_view address_of_record) {
  const auto at = address_of_record.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address_of_record.substr(at + 1);
}

bool is_in_domain(std::string_view name, std::string_view domain) {
  if (domain.empty() || !name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

} // namespace

bool EndpointService::mends(const Refusal& refusal, const Then& then, sip::TimePoint now) {
  const int status = refusal.response->status();
  if ((status != 493 && status != 495 && status != 496) || refusal.attempt >= most_attempts)
    return false;
  const sip::Message& request = *refusal.request;
  const PeerIndex onward = refusal.sender.onward;
  Proposal proposal{refusal.request,
                    status,
                    signer_of(request, nullptr),
                    request.to().uri.address_of_record(),
                    {},
                    then};
  if (onward != no_peer && peers_.at(onward).next_hop)
    proposal.next_hop = peers_.at(onward).next_hop->tls_name;
  std::string der = certificate_in(*refusal.response);
  if (!der.empty()) {
    turns_.begin(request.call_id());
    openers_.submit(
        opener::CheckCertificate{.der = std::move(der),
                                 .now = static_cast<std::uint64_t>(wall_clock_())},
        [this, proposal](const auto& answer, sip::TimePoint later) {
          take_checked(proposal, answer ? &*answer : nullptr, later);
        },
        now);
    return true;
  }
  // Who only wants to verify needs no certificate, but to be told where to look.
  const std::string host = warning_host(*refusal.response);
  if (status != 495 || host.empty() || !takes_middle(proposal, host) ||
      !add_middle_for(proposal, {host, {}}, now))
    return false;
  return !start(refusal.request, proposal.user, {}, proposal.then, now);
}

void EndpointService::take_checked(const Proposal& proposal,
                                   const opener::CheckedCertificate* answer, sip::TimePoint now) {
  const std::string call_id(proposal.request->call_id());
  const std::string_view fault =
      answer == nullptr ? std::string_view("failed") : fault_of(proposal, *answer, now);
  const bool is_taken = fault.empty();
  Event event(Level::notice, is_taken ? "e2m.mend" : "certificate.refuse");
  event.add("code", static_cast<std::uint64_t>(proposal.status));
  if (!is_taken) event.add("detail", fault);
  log_.write(event.add("call", call_id));
  if (is_taken && !start(proposal.request, proposal.user, {}, proposal.then, now)) return;
  proposal.then(Disclosure{}, now);
  turns_.end(call_id, now);
}

// Is it whose it must be, and is that something new? Empty: it is, and has been taken.
std::string_view EndpointService::fault_of(const Proposal& proposal,
                                           const opener::CheckedCertificate& answer,
                                           sip::TimePoint now) {
  constexpr std::string_view taken, known_already = "known", wrong_name = "name";
  if (answer.finding != opener::Finding::trusted) return to_string(answer.finding);
  if (proposal.status != 493) {
    for (const std::string& dns : answer.dns_names)
      if (const auto name = sip::canonical_middle_name(dns); name && takes_middle(proposal, *name))
        return add_middle_for(proposal, {*name, answer.certificate}, now) ? taken : known_already;
    return wrong_name;
  }
  const auto is_target = [&](const std::string& uri) {
    const auto parsed = sip::Uri::parse(uri);
    return parsed && parsed->address_of_record() == proposal.far;
  };
  if (std::ranges::none_of(answer.uris, is_target)) return wrong_name;
  const sip::Message& request = *proposal.request;
  EndpointDialog& dialog = dialogs_.touch(request.call_id(), request.to().tag(), now);
  const std::string known =
      dialog.far_certificate.empty() ? certificates_.of(proposal.far) : dialog.far_certificate;
  dialog.far_certificate = answer.certificate;
  certificates_.learn(proposal.far, answer.certificate);
  return known != answer.certificate ? taken : known_already;
}

bool EndpointService::takes_middle(const Proposal& proposal, std::string_view name) const {
  const auto& middles = config_.endpoint.middles;
  if (std::ranges::find(middles, name, &MiddleConfig::name) != middles.end()) return true;
  return std::ranges::any_of(config_.endpoint.trusted_middles, [&](const std::string& word) {
    if (word == EndpointConfig::own_domain) return is_in_domain(name, domain_of(proposal.user));
    if (word == EndpointConfig::peer_domain) return is_in_domain(name, domain_of(proposal.far));
    if (word == EndpointConfig::next_hop) return name == proposal.next_hop;
    return name == word;
  });
}

bool EndpointService::add_middle_for(const Proposal& proposal, const Middle& middle,
                                     sip::TimePoint now) {
  const sip::Message& request = *proposal.request;
  EndpointDialog& dialog = dialogs_.touch(request.call_id(), request.to().tag(), now);
  std::vector<Middle> known = certificates_.middles_towards(proposal.far);
  for (const Middle& one : dialog.middles) add_middle(known, one);
  const bool is_new = add_middle(known, middle);
  add_middle(dialog.middles, middle);
  certificates_.learn_middle(proposal.far, middle);
  return is_new;
}

} // namespace midcom
