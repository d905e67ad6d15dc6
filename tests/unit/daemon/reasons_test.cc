// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/reasons.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace midcom {
namespace {

TEST(Reasons, WordsAreUniqueKebabCase) {
  std::set<std::string_view> seen;
  for (const ReasonRow& row : all_reasons()) {
    EXPECT_TRUE(seen.insert(row.word).second) << row.word;
    EXPECT_FALSE(row.word.empty());
    EXPECT_EQ(row.word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos)
        << row.word;
    EXPECT_NE(row.word.front(), '-');
    EXPECT_NE(row.word.back(), '-');
  }
}

TEST(Reasons, EveryRowIsFoundByItsReason) {
  for (const ReasonRow& row : all_reasons()) {
    EXPECT_EQ(&row_of(row.reason), &row);
    EXPECT_EQ(word_of(row.reason), row.word);
  }
  EXPECT_EQ(all_reasons().size(), static_cast<std::size_t>(Reason::shutdown) + 1);
}

TEST(Reasons, StatusesAreFailuresOrNone) {
  for (const ReasonRow& row : all_reasons()) {
    const bool is_failure = row.status >= 400 && row.status < 700;
    EXPECT_TRUE(is_failure || (row.status == 0 && row.warning.empty())) << row.word;
  }
}

TEST(Reasons, WarningsNeedNoQuoting) {
  for (const ReasonRow& row : all_reasons()) {
    for (const char c : row.warning)
      EXPECT_TRUE(c >= ' ' && c < 0x7f && c != '"' && c != '\\') << row.word;
  }
}

TEST(Reasons, MediaIsRefusedWith488) {
  for (const ReasonRow& row : all_reasons()) {
    const bool is_end = row.reason == Reason::media_lifetime || row.reason == Reason::media_timeout;
    const bool is_media = row.word.starts_with("media-") && !is_end;
    const bool is_session = is_media || row.word.starts_with("sdp-");
    EXPECT_TRUE(!is_session || row.status == 488) << row.word;
  }
  EXPECT_EQ(row_of(Reason::keys_exposed).status, 488);
  EXPECT_EQ(row_of(Reason::keys_exposed).warning, "SRTP keys must be encrypted end to end");
}

TEST(Reasons, AgreedStatuses) {
  EXPECT_EQ(row_of(Reason::flow_gone).status, 430);
  EXPECT_EQ(row_of(Reason::token_tampered).status, 403);
  EXPECT_EQ(row_of(Reason::too_many_hops).status, 483);
  EXPECT_EQ(row_of(Reason::loop_detected).status, 482);
  EXPECT_EQ(row_of(Reason::bad_extension).status, 420);
  EXPECT_EQ(row_of(Reason::table_full).status, 503);
  EXPECT_EQ(row_of(Reason::not_sip).status, 0);
}

} // namespace
} // namespace midcom
