// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/log.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "daemon/log_format.h"

namespace midcom {

class LogSink {
public:
  virtual ~LogSink() = default;
  virtual void write(const Event& event, const std::string& line) = 0;
};

namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";
constexpr mode_t file_mode = 0660; // the processes' users share a group

int priority_of(Level level) {
  static constexpr int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};
  return priorities[static_cast<std::size_t>(level)];
}

// Not spdlog's own: its levels know no "notice".
class SyslogSink : public LogSink {
public:
  SyslogSink() { ::openlog("midcomd", LOG_PID, LOG_DAEMON); }
  ~SyslogSink() override { ::closelog(); }
  void write(const Event& event, const std::string& line) override {
    ::syslog(priority_of(event.level()), "%s", line.c_str());
  }
};

class SpdlogSink : public LogSink {
public:
  explicit SpdlogSink(spdlog::sink_ptr sink) : sink_(std::move(sink)) { sink_->set_pattern("%v"); }

  void write(const Event&, const std::string& line) override {
    sink_->log(spdlog::details::log_msg("", spdlog::level::info, line));
    sink_->flush();
  }

private:
  spdlog::sink_ptr sink_;
};

// The same 128 bits for the same event name in every version, so that
// `journalctl MESSAGE_ID=` finds it: FNV-1a of the name from two starting points, marked as a
// random UUID (RFC 4122) because journalctl --catalog expects that form.
std::string message_id(std::string_view name) {
  std::array<std::uint64_t, 2> halves = {0xcbf29ce484222325U, 0x6d6964636f6d6421U};
  for (std::uint64_t& half : halves) {
    for (const char c : name) half = (half ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  halves[0] = (halves[0] & ~std::uint64_t{0xf000}) | 0x4000;
  halves[1] = (halves[1] & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  return fmt::format("{:016x}{:016x}", halves[0], halves[1]);
}

std::string journal_field(std::string_view key, std::string_view value) {
  std::string field = "MIDCOM_";
  for (const char c : key) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    field += is_lower ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
  }
  if (field.size() > 64) field.resize(64); // journald drops longer names
  return field + "=" + escaped(value);
}

// The journal has its own time and priority; every field of the event is a field of the entry.
class JournalSink : public LogSink {
public:
  void write(const Event& event, const std::string& line) override {
    std::vector<std::string> fields;
    fields.reserve(event.fields().size() + 6);
    fields.push_back("MESSAGE=" + line);
    fields.push_back("PRIORITY=" + std::to_string(priority_of(event.level())));
    fields.push_back("SYSLOG_IDENTIFIER=midcomd");
    fields.push_back("MESSAGE_ID=" + message_id(event.name()));
    fields.push_back(journal_field("event", event.name()));
    for (const auto& [key, value] : event.fields()) fields.push_back(journal_field(key, value));
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (std::string& field : fields) parts.push_back({field.data(), field.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }
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

std::unique_ptr<LogSink> make_sink(const LogConfig& config) {
  using Destination = LogConfig::Destination;
  switch (config.destination) {
  case Destination::journald:
    return std::make_unique<JournalSink>();
  case Destination::syslog:
    return std::make_unique<SyslogSink>();
  case Destination::file:
    return std::make_unique<SpdlogSink>(file_sink(config.file));
  default:
    return std::make_unique<SpdlogSink>(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  }
}

} // namespace

Log::Log(const LogConfig& config, std::string_view process) : config_(config), process_(process) {}

Log::~Log() = default;

std::expected<std::unique_ptr<Log>, std::string>
Log::open(const LogConfig& config, std::string_view process, bool announces) {
  const bool has_journal = ::access(journal_socket, F_OK) == 0;
  std::unique_ptr<Log> log(new Log(config, process));
  using Destination = LogConfig::Destination;
  Destination& destination = log->config_.destination;
  if (destination == Destination::journald && !has_journal)
    return std::unexpected(std::string("no journal here: ") + journal_socket + " is missing");
  if (destination == Destination::automatic)
    destination = has_journal ? Destination::journald : Destination::standard_error;
  try {
    log->sink_ = make_sink(log->config_);
  } catch (const spdlog::spdlog_ex& error) {
    return std::unexpected(std::string(error.what()));
  }
  if (announces && config.destination == Destination::automatic && !has_journal) {
    log->write(Event(Level::notice, "log.fallback")
                   .add("to", "stderr")
                   .add("detail", std::string("no journal: ") + journal_socket + " is missing"));
  }
  return log;
}

void Log::write(const Event& event) {
  if (!writes(event.level())) return;
  try {
    const LogTime now = std::chrono::system_clock::now();
    const Event* written = &event;
    Event with_process(event.level(), event.name());
    if (!process_.empty()) {
      with_process.add("proc", process_);
      for (const auto& [key, value] : event.fields()) with_process.add(key, value);
      written = &with_process;
    }
    const bool is_json = config_.format == LogConfig::Format::json;
    sink_->write(*written, is_json ? to_json(*written, now) : to_logfmt(*written, now));
  } catch (const spdlog::spdlog_ex&) { // a full disk must not end a call
  }
}

std::expected<void, std::string> Log::reopen() {
  if (config_.destination != LogConfig::Destination::file) return {};
  try {
    sink_ = make_sink(config_);
  } catch (const spdlog::spdlog_ex& error) {
    return std::unexpected(std::string(error.what()));
  }
  return {};
}

} // namespace midcom
