// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of midcomd.conf: every key of every section with its type, bounds and default.
#pragma once

#include "daemon/config_keys.h"

namespace midcom::config {

// The keys of an unnamed section and where they go; none for another kind.
void unnamed_keys(Keys& keys, std::string_view kind, Config& config);

// Which part of the draft a named section fills.
void named_keys(Keys& keys, ListenDraft& draft);
void named_keys(Keys& keys, PeerDraft& draft);
void named_keys(Keys& keys, RouteDraft& draft);
void named_keys(Keys& keys, AllowDraft& draft);
void named_keys(Keys& keys, UserDraft& draft);
void named_keys(Keys& keys, MiddleDraft& draft);

} // namespace midcom::config
