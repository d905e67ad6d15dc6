// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/rewritten.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace midcom {
namespace {

// Invariant 4: a gateway, which has no EndpointService, has no way to change a body.
static_assert(!std::is_constructible_v<Rewritten, sip::MessagePtr>);
static_assert(!std::is_assignable_v<Rewritten&, sip::MessagePtr>);

TEST(Rewritten, NothingIsUnlessSomebodyMakesIt) {
  const auto message = sip::Message::parse(
      "MESSAGE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a.x;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\n"
      "To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
      sip::Framing::stream, {});
  ASSERT_TRUE(message);
  EXPECT_FALSE(Rewritten());
  EXPECT_EQ(Rewritten().in_place_of(*message), *message);
}

} // namespace
} // namespace midcom
