// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sip_date.h"

#include <gtest/gtest.h>

namespace midcom::sip {
namespace {

TEST(SipDate, Known) {
  const struct {
    const char* text;
    std::int64_t seconds;
  } rows[] = {{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
              {"Sat, 13 Nov 2010 23:29:00 GMT", 1289690940},
              {"Thu, 21 Feb 2002 13:02:03 GMT", 1014296523},
              {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
              {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
              {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799}};
  for (const auto& row : rows) {
    EXPECT_EQ(parse_sip_date(row.text), row.seconds) << row.text;
    EXPECT_EQ(write_sip_date(row.seconds), row.text);
  }
}

TEST(SipDate, RefusesOtherForms) {
  for (const char* text : {"",
                           "Thu",
                           "Thu, 21 Feb 2002 13:02:03",
                           "Thu, 21 Feb 2002 13:02:03 UTC",
                           "Thu, 21 Feb 2002 13:02:03 gmt",
                           "thu, 21 Feb 2002 13:02:03 GMT",
                           "Thu, 21 feb 2002 13:02:03 GMT",
                           "Thu,  21 Feb 2002 13:02:03 GMT",
                           "Thu, 21 Feb 2002 13:02:03 GMT ",
                           " Thu, 21 Feb 2002 13:02:03 GMT",
                           "Thu, 1 Feb 2002 13:02:03 GMT",
                           "Thursday, 21-Feb-02 13:02:03 GMT",
                           "Thu Feb 21 13:02:03 2002",
                           "Thu,\t21 Feb 2002 13:02:03 GMT",
                           "Thu, 21 Feb 2002 13.02.03 GMT",
                           "Thu, +1 Feb 2002 13:02:03 GMT",
                           "Thu, 21 Feb 2002 13:02:03 GMT+1",
                           "Thu, 21 Feb 102002 13:02:03 GMT",
                           "Thu, 21 Feb 2002 -3:02:03 GMT",
                           "Thu, 2x Feb 2002 13:02:03 GMT",
                           "Sat, 21 Feb 2002 1:02:03 GMT"})
    EXPECT_EQ(parse_sip_date(text), std::unexpected(Error::bad_date)) << text;
}

TEST(SipDate, RefusesMomentsThatAreNone) {
  for (const char* text : {"Fri, 21 Feb 2002 13:02:03 GMT", // it was a Thursday
                           "Thu, 29 Feb 2001 00:00:00 GMT", "Mon, 29 Feb 2100 00:00:00 GMT",
                           "Sun, 31 Jun 2002 00:00:00 GMT", "Sat, 00 Jun 2002 00:00:00 GMT",
                           "Thu, 21 Feb 2002 24:00:00 GMT", "Thu, 21 Feb 2002 13:60:00 GMT",
                           "Sat, 31 Dec 2016 23:59:60 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
                           "Sat, 01 Jan 0000 00:00:00 GMT", "Thu, 21 Foo 2002 13:02:03 GMT"})
    EXPECT_EQ(parse_sip_date(text), std::unexpected(Error::bad_date)) << text;
}

TEST(SipDate, WritesWhatItReads) {
  // Steps that meet every weekday, month and hour.
  for (std::int64_t seconds = 0; seconds < 253402300800; seconds += 123456789) {
    const auto text = write_sip_date(seconds);
    ASSERT_TRUE(text);
    ASSERT_EQ(parse_sip_date(*text), seconds) << *text;
  }
  EXPECT_FALSE(write_sip_date(-1));
  EXPECT_FALSE(write_sip_date(253402300800));
  EXPECT_FALSE(write_sip_date(INT64_MAX));
  EXPECT_FALSE(write_sip_date(INT64_MIN));
}

} // namespace
} // namespace midcom::sip
