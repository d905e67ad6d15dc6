// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/endpoint_dialogs.h"

#include <gtest/gtest.h>

#include "daemon/endpoint_certificates.h"

namespace midcom {
namespace {

using std::chrono::seconds;

const sip::TimePoint start{seconds(1000)};

TEST(EndpointDialogs, ADialogBeginsAsItsCall) {
  EndpointDialogs dialogs(10, seconds(60));
  dialogs.touch("c", "", start).far_certificate = "A";
  EXPECT_EQ(dialogs.find("c", "b1")->far_certificate, "A");
  dialogs.touch("c", "b1", start).far_certificate = "B";
  EXPECT_EQ(dialogs.find("c", "b1")->far_certificate, "B");
  EXPECT_EQ(dialogs.find("c", "b2")->far_certificate, "A"); // another branch
  EXPECT_EQ(dialogs.find("d", "b1"), nullptr);
}

TEST(EndpointDialogs, AreForgottenWithTime) {
  EndpointDialogs dialogs(10, seconds(60));
  dialogs.touch("c", "t", start);
  dialogs.touch("d", "t", start + seconds(30));
  dialogs.touch("c", "t", start + seconds(50)); // heard of again
  dialogs.touch("e", "t", start + seconds(90));
  EXPECT_EQ(dialogs.find("d", "t"), nullptr);
  EXPECT_NE(dialogs.find("c", "t"), nullptr);
  EXPECT_EQ(dialogs.size(), 2U);
}

TEST(EndpointDialogs, AreBoundedOldestFirst) {
  EndpointDialogs dialogs(2, seconds(60));
  for (const char* call : {"c", "d", "e"}) dialogs.touch(call, "t", start);
  EXPECT_EQ(dialogs.size(), 2U);
  EXPECT_EQ(dialogs.find("c", "t"), nullptr);
}

TEST(Middles, OnlyWhatIsNewIsAdded) {
  std::vector<Middle> middles;
  EXPECT_TRUE(add_middle(middles, {"gw", ""}));
  EXPECT_FALSE(add_middle(middles, {"gw", ""}));
  EXPECT_TRUE(add_middle(middles, {"gw", "A"}));
  EXPECT_FALSE(add_middle(middles, {"gw", ""})); // a certificate isn't unlearned
  EXPECT_TRUE(add_middle(middles, {"gw", "B"}));
  EXPECT_TRUE(add_middle(middles, {"other", "B"}));
  EXPECT_EQ(middles, (std::vector<Middle>{{"gw", "B"}, {"other", "B"}}));
}

} // namespace
} // namespace midcom
