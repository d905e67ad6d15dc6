// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_text.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/file_descriptor.h"

namespace midcom {

namespace {

constexpr std::size_t file_limit = 1048576;
constexpr std::size_t line_limit = 4096;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((line[i] == '#' || line[i] == ';') && (i == 0 || is_blank(line[i - 1])))
      return line.substr(0, i);
  }
  return line;
}

class TextReader {
public:
  explicit TextReader(const std::string& file) : file_(file) {}

  void line(std::string_view raw) {
    ++number_;
    if (raw.size() > line_limit)
      return error("", "line longer than " + std::to_string(line_limit) + " octets");
    if (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
    const std::string_view content = trimmed(without_comment(raw));
    if (content.empty() || !check_characters(content)) return;
    if (content.front() == '[') return header(content);
    entry(content);
  }

  ConfigText take() { return std::move(result_); }

private:
  bool check_characters(std::string_view content) {
    for (const char c : content) {
      if ((c < ' ' && c != '\t') || c == 0x7f || static_cast<unsigned char>(c) >= 0x80) {
        static constexpr char digits[] = "0123456789abcdef";
        const auto octet = static_cast<unsigned char>(c);
        error("", std::string("octet 0x") + digits[octet >> 4] + digits[octet & 15] +
                      " outside a comment; expected printable ASCII");
        return false;
      }
    }
    return true;
  }

  void header(std::string_view content) {
    has_section_ = false;
    if (content.back() != ']') {
      skips_ = true;
      return error("", "section header without ']'", "[" + title_guess(content) + "]");
    }
    const std::string_view inner = trimmed(content.substr(1, content.size() - 2));
    const std::size_t space = inner.find_first_of(" \t");
    ConfigSection section;
    section.kind = std::string(inner.substr(0, space));
    if (space != std::string_view::npos) section.name = std::string(trimmed(inner.substr(space)));
    section.place = {file_, number_};
    skips_ = section.kind.empty();
    if (skips_) return error("", "section header without a name", "[midcomd]");
    has_section_ = true;
    result_.sections.push_back(std::move(section));
  }

  void entry(std::string_view content) {
    const std::size_t equals = content.find('=');
    const std::string key(trimmed(content.substr(0, equals)));
    if (equals == std::string_view::npos) {
      return error(key, "expected KEY = VALUE or [SECTION]");
    }
    if (key.empty()) return error("", "no key before '='");
    if (skips_) return; // of a section header that was refused
    if (!has_section_)
      return error(key, "key outside of any section", "put it below a line such as [midcomd]");
    const std::string value(trimmed(content.substr(equals + 1)));
    if (value.empty())
      return error(key, "no value in " + result_.sections.back().title(),
                   "remove the line to take the default");
    result_.sections.back().entries.push_back({key, value, {file_, number_}});
  }

  static std::string title_guess(std::string_view content) {
    return std::string(trimmed(content.substr(1)));
  }

  void error(std::string key, std::string message, std::string suggestion = {}) {
    result_.errors.push_back(
        {file_, number_, std::move(key), std::move(message), std::move(suggestion)});
  }

  const std::string& file_;
  int number_ = 0;
  bool has_section_ = false;
  bool skips_ = false;
  ConfigText result_;
};

} // namespace

const ConfigEntry* ConfigSection::find(std::string_view key) const {
  for (const ConfigEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const ConfigPlace& ConfigSection::place_of(std::string_view key) const {
  const ConfigEntry* entry = find(key);
  return entry != nullptr ? entry->place : place;
}

std::string ConfigSection::title() const {
  return "[" + kind + (name.empty() ? "" : " " + name) + "]";
}

std::string place_text(const ConfigPlace& place) {
  return place.line == 0 ? place.file : place.file + ":" + std::to_string(place.line);
}

ConfigText read_config_text(std::string_view text, const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  TextReader reader(file);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    reader.line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return reader.take();
}

bool read_config_file(const std::string& file, std::string& text, std::string& why) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) {
    why = std::strerror(errno);
    return false;
  }
  if (!S_ISREG(status.st_mode)) {
    why = "not a regular file";
    return false;
  }
  char block[4096];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      why = std::strerror(errno);
      return false;
    }
    if (got == 0) return true;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > file_limit) {
      why = "larger than " + std::to_string(file_limit) + " octets";
      return false;
    }
  }
}

} // namespace midcom
