// SPDX-License-Identifier: GPL-3.0-or-later
// What belongs to the role `endpoint` alone, and what it has no use for.
#include <algorithm>
#include <string_view>

#include "daemon/config_check.h"
#include "daemon/config_files.h"

namespace midcom {

namespace {

// One start message carries two descriptors for each (channel.h).
constexpr std::size_t max_users = 100;

void refuse(ConfigDraft& draft, const ConfigSection& section, std::string_view why,
            std::string_view suggestion) {
  if (section.place.line != 0)
    draft.error(section.place, section.title(), std::string(why), std::string(suggestion));
}

void check_gateway(ConfigDraft& draft) {
  constexpr std::string_view why = "is for the role endpoint",
                             suggestion = "write role = endpoint in [midcomd], or remove it";
  refuse(draft, draft.section("endpoint"), why, suggestion);
  for (const UserDraft& user : draft.users) refuse(draft, user.text, why, suggestion);
  for (const MiddleDraft& middle : draft.middles) refuse(draft, middle.text, why, suggestion);
}

void refuse_firewall(ConfigDraft& draft) {
  constexpr std::string_view why = "an endpoint opens no firewall", suggestion = "remove it";
  refuse(draft, draft.section("firewall"), why, suggestion);
  refuse(draft, draft.section("media"), why, suggestion);
  refuse(draft, draft.section("dns"), why, suggestion);
  for (const AllowDraft& allow : draft.allows) refuse(draft, allow.text, why, suggestion);
  const ConfigSection& smime = draft.section("smime");
  for (const char* key : {"certificate", "key"})
    if (smime.find(key) != nullptr)
      draft.error(smime.place_of(key), key, "an endpoint opens for its users, not for itself",
                  "put it into [user NAME]");
}

void check_users(ConfigDraft& draft) {
  if (draft.users.empty())
    draft.error(draft.section("midcomd").place_of("role"), "role",
                "an endpoint without [user NAME] has nobody to seal for",
                "add [user NAME] with address, certificate and key");
  if (draft.users.size() > max_users)
    draft.error(draft.users[max_users].text.place, draft.users[max_users].text.title(),
                "more than " + std::to_string(max_users) + " users");
  for (std::size_t i = 0; i < draft.users.size(); ++i) {
    UserDraft& user = draft.users[i];
    check_pem(draft, user.text, "certificate", user.user.certificate_file);
    check_pem(draft, user.text, "key", user.user.key_file);
    for (std::size_t j = 0; j < i && !user.user.address.empty(); ++j)
      if (draft.users[j].user.address == user.user.address)
        draft.error(user.text.place_of("address"), "address",
                    "is also the address of " + draft.users[j].text.title());
  }
}

void check_middles(ConfigDraft& draft) {
  for (MiddleDraft& middle : draft.middles) {
    const auto host = parse_host_name(middle.text.name);
    if (host)
      middle.text.name = *host;
    else
      draft.error(middle.text.place, middle.text.title(), host.error().message,
                  host.error().suggestion);
    check_pem(draft, middle.text, "certificate", middle.certificate_file);
  }
}

void check_ways(ConfigDraft& draft) {
  const auto has = [&](PeerKind kind) {
    return std::ranges::any_of(draft.peers, [&](const PeerDraft& peer) {
      return peer.peer.kind == kind && (kind == PeerKind::phones || peer.next_hop);
    });
  };
  const ConfigPlace& place = draft.section("midcomd").place_of("role");
  if (!has(PeerKind::phones))
    draft.error(place, "role", "an endpoint needs a peer of kind phones",
                "add [peer phone] with kind = phones and network = 127.0.0.0/8");
  if (!has(PeerKind::trunk))
    draft.error(place, "role", "an endpoint needs a peer of kind trunk with a next-hop",
                "add [peer out] with kind = trunk and next-hop = tls:ADDRESS:5061");
}

void check_endpoint(ConfigDraft& draft) {
  const ConfigSection& smime = draft.section("smime");
  if (smime.find("ca") == nullptr)
    draft.error(smime.place, "ca", "an endpoint without authorities can trust nobody",
                "add [smime] with ca = FILE");
  refuse_firewall(draft);
  check_users(draft);
  check_middles(draft);
  check_ways(draft);
  check_directory(draft, draft.section("endpoint"), "contacts",
                  draft.config.opener.contact_directory);
}

} // namespace

void check_role(ConfigDraft& draft) {
  if (draft.config.agent.role == StationRole::gateway)
    check_gateway(draft);
  else
    check_endpoint(draft);
}

} // namespace midcom
