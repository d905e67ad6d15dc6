// SPDX-License-Identifier: GPL-3.0-or-later
// The log of one process: events as lines on the configured sink.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/config.h"
#include "daemon/event_log.h"
#include "daemon/journal.h"

namespace midcom {

class LogSink;

class Log : public EventLog {
public:
  // `process` is the word of the field proc= on every line ("supervisor", "agent", "middlebox");
  // empty: no such field. With destination `automatic` and no journal the log goes to stderr; one
  // line says so when `announces` (the supervisor does, its children needn't). Every sink is
  // connected by then, so that it goes on working after a chroot.
  [[nodiscard]] static std::expected<std::unique_ptr<Log>, std::string>
  open(const LogConfig& config, std::string_view process, bool announces = false,
       const std::string& journal = journal_path);

  ~Log() override;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Below the configured level: nothing. Never throws; what can't be written is lost and counted,
  // and a line says so when the sink works again.
  void write(const Event& event) override;
  // After a rotation of the file; for the other sinks nothing happens. The old file stays open when
  // the new one can't be.
  [[nodiscard]] std::expected<void, std::string> reopen();
  [[nodiscard]] bool writes(Level level) const { return level >= config_.level; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

private:
  Log(const LogConfig& config, std::string_view process);

  [[nodiscard]] bool write_line(const Event& event);

  LogConfig config_;
  std::string process_;
  std::unique_ptr<LogSink> sink_;
  std::uint64_t lost_ = 0, reported_ = 0;
};

} // namespace midcom
