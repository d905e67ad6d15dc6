// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/certs_only.h"

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {

namespace {

constexpr std::uint32_t newest_version = 5;

Result<DerReader> enter_signed_data(std::string_view der) {
  const auto whole = read_single(der);
  if (!whole) return std::unexpected(whole.error());
  if (whole->tag != der_sequence) return std::unexpected(Error::malformed);
  DerReader info(whole->content);
  const auto type = info.take(der_oid);
  if (!type) return std::unexpected(type.error());
  if (*type != oid::signed_data) return std::unexpected(Error::unsupported_type);
  auto content = info.enter(der_constructed(0));
  if (!content || !info.at_end()) return std::unexpected(Error::malformed);
  auto data = content->enter(der_sequence);
  if (!data || !content->at_end()) return std::unexpected(Error::malformed);
  return data;
}

// version, digestAlgorithms, encapContentInfo: what certs-only messages have in common is that
// there is nothing in it.
Result<void> skip_to_certificates(DerReader& data) {
  if (const auto version = data.take_number(newest_version); !version)
    return std::unexpected(version.error());
  if (const auto digests = data.take(der_set); !digests) return std::unexpected(digests.error());
  auto content = data.enter(der_sequence);
  if (!content) return std::unexpected(content.error());
  if (const auto type = content->take(der_oid); !type) return std::unexpected(type.error());
  if (!content->at_end()) return std::unexpected(Error::unsupported_type);
  return {};
}

} // namespace

std::string write_certs_only(std::span<const std::string> certificates) {
  std::string all;
  for (const std::string& certificate : certificates) all += certificate;
  const std::string data =
      write_der(der_sequence, {write_der_number(1), write_der(der_set, {}),
                               write_der(der_sequence, {write_der(der_oid, {oid::data})}),
                               write_der(der_constructed(0), {all}), write_der(der_set, {})});
  return write_der(der_sequence,
                   {write_der(der_oid, {oid::signed_data}), write_der(der_constructed(0), {data})});
}

Result<std::vector<std::string>> read_certs_only(std::string_view der) {
  auto data = enter_signed_data(der);
  if (!data) return std::unexpected(data.error());
  if (const auto skipped = skip_to_certificates(*data); !skipped)
    return std::unexpected(skipped.error());
  auto list = data->enter(der_constructed(0));
  if (!list) return std::unexpected(list.error());
  std::vector<std::string> certificates;
  while (!list->at_end()) {
    const auto element = list->next();
    if (!element) return std::unexpected(element.error());
    if (element->tag != der_sequence) continue; // attribute certificates and other forms
    if (certificates.size() == most_certs_only) return std::unexpected(Error::too_many);
    certificates.emplace_back(element->whole);
  }
  if (data->stands_at(der_constructed(1))) // revocation lists
    if (const auto lists = data->next(); !lists) return std::unexpected(lists.error());
  const auto signers = data->take(der_set);
  if (!signers || !data->at_end() || certificates.empty()) return std::unexpected(Error::malformed);
  if (!signers->empty()) return std::unexpected(Error::unsupported_type);
  return certificates;
}

} // namespace midcom::sip::e2m
