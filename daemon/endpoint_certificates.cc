// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/endpoint_certificates.h"

#include <algorithm>
#include <utility>

#include "sip/inspect_body.h"
#include "sip/uri.h"

namespace midcom {

bool add_middle(std::vector<Middle>& middles, const Middle& middle) {
  const auto found = std::ranges::find(middles, middle.name, &Middle::name);
  if (found == middles.end()) {
    middles.push_back(middle);
    return true;
  }
  if (*found == middle || middle.certificate.empty()) return false;
  *found = middle;
  return true;
}

void EndpointCertificates::on_opener_up(sip::TimePoint now) {
  for (std::size_t index = 0; index < is_checked_.size(); ++index)
    if (!is_checked_[index]) check(index, now);
}

void EndpointCertificates::check(std::size_t index, sip::TimePoint now) {
  const std::size_t middles = config_.middles.size();
  is_checked_[index] = true;
  openers_.submit(
      opener::CheckCertificate{.id = 0,
                               .der = index < middles ? config_.middles[index].certificate
                                                      : config_.contacts[index - middles],
                               .now = static_cast<std::uint64_t>(wall_clock_())},
      [this, index](const auto& answer, sip::TimePoint) {
        if (answer)
          take(index, *answer);
        else
          is_checked_[index] = false; // by the next opener
      },
      now);
}

void EndpointCertificates::take(std::size_t index, const opener::CheckedCertificate& answer) {
  if (answer.finding != opener::Finding::trusted) return complain(index, to_string(answer.finding));
  if (index < config_.middles.size()) {
    const std::string& name = config_.middles[index].name;
    const auto is_named = [&](const std::string& dns) {
      return sip::canonical_middle_name(dns) == name;
    };
    if (std::ranges::none_of(answer.dns_names, is_named)) return complain(index, "name");
    add_middle(middles_, {name, answer.certificate});
    return;
  }
  for (const std::string& uri : answer.uris)
    if (const auto parsed = sip::Uri::parse(uri))
      learn(parsed->address_of_record(), answer.certificate);
  if (answer.uris.empty()) complain(index, "no-identity");
}

void EndpointCertificates::complain(std::size_t index, std::string_view why) {
  const std::size_t middles = config_.middles.size();
  Event event(Level::warning, "certificate.refuse");
  if (index < middles)
    event.add("middle", config_.middles[index].name);
  else
    event.add("contact", std::uint64_t{index - middles + 1});
  log_.write(event.add("detail", why));
}

std::string EndpointCertificates::of(std::string_view address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? std::string() : found->second;
}

// Full: what is known stays known. The dialogs still have what they have learned themselves.
void EndpointCertificates::learn(std::string_view address, std::string certificate) {
  if (certificate.empty()) return;
  const auto found = by_address_.find(address);
  if (found != by_address_.end())
    found->second = std::move(certificate);
  else if (by_address_.size() < most_known)
    by_address_.emplace(address, std::move(certificate));
}

std::vector<Middle> EndpointCertificates::middles_towards(std::string_view address) const {
  std::vector<Middle> middles = middles_;
  if (const auto found = middles_of_.find(address); found != middles_of_.end())
    for (const Middle& middle : found->second) add_middle(middles, middle);
  return middles;
}

void EndpointCertificates::learn_middle(std::string_view address, const Middle& middle) {
  const auto found = middles_of_.find(address);
  if (found == middles_of_.end() && middles_of_.size() >= most_known) return;
  auto& middles = found == middles_of_.end() ? middles_of_[std::string(address)] : found->second;
  if (!add_middle(middles, middle)) return;
  if (middles.size() > most_middles) middles.erase(middles.begin());
}

} // namespace midcom
