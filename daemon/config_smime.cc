// SPDX-License-Identifier: GPL-3.0-or-later
// [smime], and what peers ask for that can't be had without it.
#include <algorithm>
#include <string_view>

#include "daemon/config_check.h"
#include "daemon/config_files.h"

namespace midcom {

namespace {

bool has_smime(const ConfigDraft& draft) {
  return draft.section("smime").place.line != 0;
}

void check_files(ConfigDraft& draft) {
  const ConfigSection& section = draft.section("smime");
  const bool is_middle = draft.config.agent.role == StationRole::gateway;
  for (const char* key : {"certificate", "key"})
    if (is_middle && section.find(key) == nullptr)
      draft.error(section.place, key, "missing in [smime]", std::string("add ") + key + " = FILE");
  OpenerConfig& opener = draft.config.opener;
  check_pem(draft, "smime", "certificate", opener.certificate_file);
  check_pem(draft, "smime", "key", opener.key_file);
  check_pem(draft, "smime", "ca", opener.ca_files);
  check_pem(draft, "smime", "crl", opener.crl_files);
  if (opener.crl_policy == OpenerConfig::CrlPolicy::required && opener.crl_files.empty())
    draft.error(section.place_of("crl-policy"), "crl-policy", "require needs the key crl",
                "add crl = FILE");
}

void check_key_usages(ConfigDraft& draft) {
  std::vector<std::string>& usages = draft.config.opener.extended_key_usages;
  if (std::ranges::find(usages, "any") == usages.end()) return;
  if (usages.size() > 1)
    draft.error(draft.section("smime").place_of("eku"), "eku", "any and others exclude each other",
                "remove eku = any");
  usages.clear();
}

void check_user(ConfigDraft& draft) {
  const Config& config = draft.config;
  const auto& user = config.opener.user;
  if (user != config.user && user != config.middlebox_user) return;
  const bool is_agents = user == config.user;
  draft.error(draft.section("smime").place_of("opener-user"), "opener-user",
              std::string("is the ") + (is_agents ? "agent" : "middlebox") +
                  "'s user: the two must be apart",
              "make a user of its own");
}

// Each place of `key` in the peer that asks for what only [smime] gives.
void need_smime(ConfigDraft& draft, const PeerDraft& peer, std::string_view key) {
  for (const ConfigEntry& entry : peer.text.entries)
    if (entry.key == key)
      draft.error(entry.place, entry.key, "needs the section [smime]",
                  "add [smime] with certificate and key");
}

void check_peer(ConfigDraft& draft, const PeerDraft& peer) {
  if (!has_smime(draft)) {
    if (draft.config.agent.role == StationRole::endpoint) return; // check_role says so once
    need_smime(draft, peer, "view");
    need_smime(draft, peer, "verify");
    if (peer.peer.disclosure.legacy == DisclosurePolicy::Legacy::refuse)
      need_smime(draft, peer, "legacy");
    return;
  }
  if (draft.section("smime").find("ca") == nullptr && peer.text.find("verify") != nullptr)
    draft.error(peer.text.place_of("verify"), "verify", "nobody's signature can be trusted",
                "add ca = FILE to [smime]");
}

} // namespace

void check_smime(ConfigDraft& draft) {
  for (const PeerDraft& peer : draft.peers) check_peer(draft, peer);
  if (!has_smime(draft)) {
    draft.config.agent.smime.openers = 0;
    return;
  }
  check_files(draft);
  check_key_usages(draft);
  check_user(draft);
}

} // namespace midcom
