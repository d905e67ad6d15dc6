// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/wire.h"

#include <algorithm>
#include <stdexcept>

namespace midcom {

std::string_view to_string(WireError error) {
  switch (error) {
  case WireError::truncated:
    return "truncated";
  case WireError::trailing:
    return "trailing";
  case WireError::range:
    return "range";
  case WireError::count:
    return "count";
  case WireError::unknown_kind:
    return "unknown-kind";
  }
  return "";
}

void WireWriter::octets(const std::uint8_t* data, std::size_t size) {
  for (std::size_t index = 0; index < size; ++index) bytes_ += static_cast<char>(data[index]);
}

void WireWriter::text(const std::string& value, std::size_t most) {
  (void)count(value.size(), most);
  bytes_ += value;
}

std::size_t WireWriter::count(std::size_t size, std::size_t most) {
  if (size > most) throw std::length_error("too many elements for a channel message");
  number(static_cast<std::uint32_t>(size));
  return size;
}

void WireReader::boolean(bool& value) {
  std::uint8_t raw = 0;
  number(raw);
  if (raw > 1) fail(WireError::range);
  value = raw == 1;
}

void WireReader::octets(std::uint8_t* data, std::size_t size) {
  std::fill_n(data, size, std::uint8_t{0});
  const std::string_view from = take(size);
  std::transform(from.begin(), from.end(), data,
                 [](char octet) { return static_cast<std::uint8_t>(octet); });
}

void WireReader::text(std::string& value, std::size_t most) {
  value = take(count(0, most));
}

std::size_t WireReader::count(std::size_t, std::size_t most) {
  std::uint32_t size = 0;
  number(size);
  if (size <= most) return size;
  fail(WireError::count);
  return 0;
}

void WireReader::fail(WireError error) {
  if (!error_) error_ = error;
  rest_ = {};
}

std::optional<WireError> WireReader::finish() {
  if (!error_ && !rest_.empty()) error_ = WireError::trailing;
  return error_;
}

std::string_view WireReader::take(std::size_t size) {
  if (size > rest_.size()) {
    fail(WireError::truncated);
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

} // namespace midcom
