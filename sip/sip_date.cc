// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sip_date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view form = "www, dd mmm yyyy hh:mm:ss GMT";
constexpr std::int64_t seconds_of_day = 86400;

// Letters of `form` stand for what is read elsewhere, the rest must be as it is there.
bool has_form(std::string_view text) {
  if (text.size() != form.size() || !text.ends_with("GMT")) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (!alpha_chars.has(form[i]) && text[i] != form[i]) return false;
  return true;
}

// The parts of a date; one that can't be read spoils the whole.
struct DateReader {
  std::string_view text;
  bool is_good = true;

  unsigned number(std::size_t at, std::size_t size, unsigned maximum) {
    const auto value = parse_number(text.substr(at, size), maximum);
    is_good = is_good && value.has_value();
    return static_cast<unsigned>(value.value_or(0));
  }
  // The index of the word at `at`.
  unsigned word(std::size_t at, std::span<const std::string_view> words) {
    const auto found = std::ranges::find(words, text.substr(at, 3));
    is_good = is_good && found != words.end();
    return static_cast<unsigned>(found - words.begin());
  }
};

std::string padded(unsigned number, std::size_t width) {
  std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

} // namespace

Result<std::int64_t> parse_sip_date(std::string_view text) {
  if (!has_form(text)) return std::unexpected(Error::bad_date);
  DateReader reader{text};
  const unsigned day_of_week = reader.word(0, weekdays);
  const unsigned day_of_month = reader.number(5, 2, 31);
  const unsigned month_index = reader.word(8, months);
  const unsigned year_number = reader.number(12, 4, 9999);
  const unsigned hour = reader.number(17, 2, 23);
  const unsigned minute = reader.number(20, 2, 59);
  const unsigned second = reader.number(23, 2, 59);
  const year_month_day date{year(static_cast<int>(year_number)), month(month_index + 1),
                            day(day_of_month)};
  if (!reader.is_good || year_number < 1970 || !date.ok()) return std::unexpected(Error::bad_date);
  const sys_days day_start(date);
  if (weekday(day_start).c_encoding() != day_of_week) return std::unexpected(Error::bad_date);
  const seconds time =
      day_start.time_since_epoch() + hours(hour) + minutes(minute) + seconds(second);
  return time.count();
}

Result<std::string> write_sip_date(std::int64_t time) {
  constexpr sys_days end = year(10000) / January / 1;
  if (time < 0 || time >= std::int64_t{end.time_since_epoch().count()} * seconds_of_day)
    return std::unexpected(Error::bad_date);
  const sys_days day_start{days(time / seconds_of_day)};
  const year_month_day date(day_start);
  const auto rest = static_cast<unsigned>(time % seconds_of_day);
  std::string text(weekdays[weekday(day_start).c_encoding()]);
  text += ", " + padded(static_cast<unsigned>(date.day()), 2) + ' ';
  text += months[static_cast<unsigned>(date.month()) - 1];
  text += ' ' + padded(static_cast<unsigned>(static_cast<int>(date.year())), 4) + ' ';
  text += padded(rest / 3600, 2) + ':' + padded(rest / 60 % 60, 2) + ':' + padded(rest % 60, 2);
  return text + " GMT";
}

} // namespace midcom::sip
