// SPDX-License-Identifier: GPL-3.0-or-later
// Log events as values: one event is one line. Formatting, escaping and the sinks are in log.cc; a
// scenario test reads events as they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace midcom {

enum class Level : std::uint8_t { debug, info, notice, warning, error };

// `name` and keys are fixed words of the program; values may hold remote text (the sink escapes).
class Event {
public:
  Event(Level level, std::string_view name) : level_(level), name_(name) {}
  Event& add(std::string_view key, std::string_view value);
  Event& add(std::string_view key, std::uint64_t value);
  [[nodiscard]] Level level() const { return level_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] const std::vector<std::pair<std::string_view, std::string>>& fields() const {
    return fields_;
  }
  [[nodiscard]] std::string_view field(std::string_view key) const; // "" when not there

private:
  Level level_;
  std::string_view name_;
  std::vector<std::pair<std::string_view, std::string>> fields_;
};

class EventLog {
public:
  virtual ~EventLog() = default;
  virtual void write(const Event& event) = 0;
};

} // namespace midcom
