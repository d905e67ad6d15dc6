// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/log.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "daemon/journal.h"
#include "daemon/log_format.h"

namespace midcom {

class LogSink {
public:
  virtual ~LogSink() = default;
  virtual bool write(const Event& event, const std::string& line) = 0; // false: lost
};

namespace {

constexpr mode_t file_mode = 0660; // the processes' users share a group

// Not spdlog's own: its levels know no "notice". Connected at once: a role sees no /dev/log later.
class SyslogSink : public LogSink {
public:
  SyslogSink() { ::openlog("midcomd", LOG_PID | LOG_NDELAY, LOG_DAEMON); }
  ~SyslogSink() override { ::closelog(); }
  bool write(const Event& event, const std::string& line) override {
    ::syslog(syslog_priority(event.level()), "%s", line.c_str());
    return true; // as far as it says
  }
};

class SpdlogSink : public LogSink {
public:
  explicit SpdlogSink(spdlog::sink_ptr sink) : sink_(std::move(sink)) { sink_->set_pattern("%v"); }

  bool write(const Event&, const std::string& line) override {
    try {
      sink_->log(spdlog::details::log_msg("", spdlog::level::info, line));
      sink_->flush();
    } catch (const spdlog::spdlog_ex&) { // a full disk must not end a call
      return false;
    }
    return true;
  }

private:
  spdlog::sink_ptr sink_;
};

// The journal has its own time and priority; every field of the event is a field of the entry.
class JournalSink : public LogSink {
public:
  explicit JournalSink(JournalSocket socket) : socket_(std::move(socket)) {}
  bool write(const Event& event, const std::string& line) override {
    return socket_.send(journal_entry(event, line));
  }

private:
  JournalSocket socket_;
};

// spdlog opens with the umask alone and without close-on-exec.
spdlog::file_event_handlers file_handlers() {
  spdlog::file_event_handlers handlers;
  handlers.before_open = [](const spdlog::filename_t& name) {
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, file_mode);
    if (fd >= 0) ::close(fd);
  };
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    ::fcntl(::fileno(file), F_SETFD, FD_CLOEXEC);
  };
  return handlers;
}

spdlog::sink_ptr file_sink(const std::string& file) {
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file, false, file_handlers());
}

std::expected<std::unique_ptr<LogSink>, std::string> make_sink(const LogConfig& config,
                                                               const std::string& journal) {
  using Destination = LogConfig::Destination;
  try {
    switch (config.destination) {
    case Destination::journald: {
      auto socket = JournalSocket::open(journal);
      if (!socket) return std::unexpected(std::move(socket.error()));
      return std::make_unique<JournalSink>(std::move(*socket));
    }
    case Destination::syslog:
      return std::make_unique<SyslogSink>();
    case Destination::file:
      return std::make_unique<SpdlogSink>(file_sink(config.file));
    default:
      return std::make_unique<SpdlogSink>(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    }
  } catch (const spdlog::spdlog_ex& error) {
    return std::unexpected(std::string(error.what()));
  }
}

} // namespace

Log::Log(const LogConfig& config, std::string_view process) : config_(config), process_(process) {}

Log::~Log() = default;

std::expected<std::unique_ptr<Log>, std::string> Log::open(const LogConfig& config,
                                                           std::string_view process, bool announces,
                                                           const std::string& journal) {
  const bool has_journal = ::access(journal.c_str(), F_OK) == 0;
  std::unique_ptr<Log> log(new Log(config, process));
  using Destination = LogConfig::Destination;
  Destination& destination = log->config_.destination;
  if (destination == Destination::automatic)
    destination = has_journal ? Destination::journald : Destination::standard_error;
  auto sink = make_sink(log->config_, journal);
  if (!sink) return std::unexpected(std::move(sink.error()));
  log->sink_ = std::move(*sink);
  if (announces && config.destination == Destination::automatic && !has_journal) {
    log->write(Event(Level::notice, "log.fallback")
                   .add("to", "stderr")
                   .add("detail", "no journal: " + journal + " is missing"));
  }
  return log;
}

void Log::write(const Event& event) {
  if (!writes(event.level())) return;
  if (!write_line(event)) {
    ++lost_;
    return;
  }
  if (lost_ == reported_) return;
  const std::uint64_t lines = lost_ - reported_;
  if (write_line(Event(Level::warning, "log.lost").add("lines", lines))) reported_ += lines;
}

bool Log::write_line(const Event& event) {
  const LogTime now = std::chrono::system_clock::now();
  const Event* written = &event;
  Event with_process(event.level(), event.name());
  if (!process_.empty()) {
    with_process.add("proc", process_);
    for (const auto& [key, value] : event.fields()) with_process.add(key, value);
    written = &with_process;
  }
  const bool is_json = config_.format == LogConfig::Format::json;
  return sink_->write(*written, is_json ? to_json(*written, now) : to_logfmt(*written, now));
}

std::expected<void, std::string> Log::reopen() {
  if (config_.destination != LogConfig::Destination::file) return {};
  auto sink = make_sink(config_, {});
  if (!sink) return std::unexpected(std::move(sink.error()));
  sink_ = std::move(*sink);
  return {};
}

} // namespace midcom
