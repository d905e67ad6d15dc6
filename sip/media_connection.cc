// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_connection.h"

namespace midcom::sip {

std::expected<Party, StreamState> connecting_party(std::optional<Setup> offered,
                                                   std::optional<Setup> answered, Party offerer) {
  const Setup offer = offered.value_or(Setup::active);
  const Setup answer = answered.value_or(Setup::passive);
  if (offer == Setup::holdconn || answer == Setup::holdconn)
    return std::unexpected(StreamState::held);
  const bool may_connect = offer == Setup::active || offer == Setup::actpass;
  const bool may_be_connected = offer == Setup::passive || offer == Setup::actpass;
  if (answer == Setup::passive && may_connect) return offerer;
  if (answer == Setup::active && may_be_connected) return other(offerer);
  return std::unexpected(StreamState::unsupported);
}

bool may_wait(std::optional<Setup> offered) {
  return offered == Setup::passive || offered == Setup::actpass;
}

} // namespace midcom::sip
