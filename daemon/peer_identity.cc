// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/peer_identity.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <optional>

namespace midcom {

namespace {

constexpr std::size_t max_name = 255;        // RFC 1035 2.3.4
constexpr std::size_t max_identities = 1000; // of one certificate

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreeUsage {
  void operator()(EXTENDED_KEY_USAGE* usage) const { EXTENDED_KEY_USAGE_free(usage); }
};
struct FreeText {
  void operator()(unsigned char* text) const { OPENSSL_free(text); }
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// A wildcard stays in: it equals only itself, and no configured name has one.
bool is_name_octet(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
         c == '*' || c == '[' || c == ']' || c == ':';
}

std::optional<std::string> as_name(std::string_view text) {
  text = without_final_dot(text);
  if (text.empty() || text.size() > max_name) return std::nullopt;
  if (!std::ranges::all_of(text, is_name_octet)) return std::nullopt;
  std::string name(text);
  std::ranges::transform(name, name.begin(), lower);
  return name;
}

std::string_view view_of(const ASN1_STRING& text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&text)),
          static_cast<std::size_t>(ASN1_STRING_length(&text))};
}

// `sip:example.com;transport=tls` names example.com; a user part names a person, not a domain.
std::optional<std::string> host_of_sip_uri(std::string_view uri) {
  if (uri.size() < 4 || !same_identity(uri.substr(0, 3), "sip") || uri[3] != ':')
    return std::nullopt;
  uri.remove_prefix(4);
  if (uri.find('@') != std::string_view::npos) return std::nullopt;
  uri = uri.substr(0, uri.find_first_of(";?"));
  if (!uri.starts_with('[')) {
    uri = uri.substr(0, uri.find(':'));
    return as_name(uri);
  }
  const auto end = uri.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  return as_name(uri.substr(0, end + 1));
}

void add_once(std::vector<std::string>& names, std::optional<std::string> name) {
  if (!name || names.size() >= max_identities) return;
  if (std::ranges::find(names, *name) == names.end()) names.push_back(*std::move(name));
}

std::vector<std::string> names_of(const GENERAL_NAMES& alternatives) {
  std::vector<std::string> from_uris, from_dns;
  for (int i = 0; i < sk_GENERAL_NAME_num(&alternatives); ++i) {
    const GENERAL_NAME* value = sk_GENERAL_NAME_value(&alternatives, i);
    if (value->type == GEN_URI)
      add_once(from_uris, host_of_sip_uri(view_of(*value->d.uniformResourceIdentifier)));
    else if (value->type == GEN_DNS)
      add_once(from_dns, as_name(view_of(*value->d.dNSName)));
  }
  return from_uris.empty() ? from_dns : from_uris;
}

// The most specific CN is the last one; several would be ambiguous: none is taken then.
std::vector<std::string> common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  unsigned char* converted = nullptr;
  const int size = ASN1_STRING_to_UTF8(&converted, text);
  if (size < 0) return {};
  const std::unique_ptr<unsigned char, FreeText> owner(converted);
  std::vector<std::string> names;
  add_once(names,
           as_name({reinterpret_cast<const char*>(converted), static_cast<std::size_t>(size)}));
  return names;
}

} // namespace

std::vector<std::string> sip_identities(const X509& certificate) {
  if (X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) < 0)
    return common_name(certificate);
  const std::unique_ptr<GENERAL_NAMES, FreeNames> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!alternatives) return {}; // there, but broken or twice
  return names_of(*alternatives);
}

bool same_identity(std::string_view a, std::string_view b) {
  return std::ranges::equal(without_final_dot(a), without_final_dot(b),
                            [](char x, char y) { return lower(x) == lower(y); });
}

bool has_identity(const std::vector<std::string>& identities, std::string_view name) {
  return !name.empty() && std::ranges::any_of(identities, [&](const std::string& identity) {
    return same_identity(identity, name);
  });
}

bool allows_sip(const X509& certificate) {
  if (X509_get_ext_by_NID(&certificate, NID_ext_key_usage, -1) < 0) return true;
  const std::unique_ptr<EXTENDED_KEY_USAGE, FreeUsage> usage(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (!usage) return false;
  constexpr std::string_view sip_domain = "1.3.6.1.5.5.7.3.20";
  for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    const ASN1_OBJECT* purpose = sk_ASN1_OBJECT_value(usage.get(), i);
    const int nid = OBJ_obj2nid(purpose);
    if (nid == NID_server_auth || nid == NID_client_auth || nid == NID_anyExtendedKeyUsage)
      return true;
    std::array<char, 80> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), purpose, 1);
    if (text.data() == sip_domain) return true;
  }
  return false;
}

} // namespace midcom
