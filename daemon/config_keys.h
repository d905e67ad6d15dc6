// SPDX-License-Identifier: GPL-3.0-or-later
// The keys of one section as Boost describes them, bound to where their values go; and the parsers
// of a value that take bounds. Included by config_sections.cc and config_schema.cc only.
#pragma once

#include <boost/program_options.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config_schema.h"

namespace midcom::config {

namespace po = boost::program_options;

struct Refused : po::error {
  explicit Refused(BadValue bad) : po::error(bad.message), value(std::move(bad)) {}
  BadValue value;
};

template <class T>
using Parser = std::function<ConfigValue<T>(std::string_view)>;

template <class T>
T parsed(const Parser<T>& parser, std::string_view text) {
  auto value = parser(text);
  if (!value) throw Refused(std::move(value.error()));
  return std::move(*value);
}

// Boost's interface of a value, without its stream conversion: one token at a time.
class Semantic : public po::value_semantic {
public:
  std::string name() const override { return "VALUE"; }
  unsigned min_tokens() const override { return 1; }
  unsigned max_tokens() const override { return 1; }
  bool is_required() const override { return false; }
};

template <class T>
class SingleValue : public Semantic {
public:
  SingleValue(T& target, Parser<T> parser, std::string_view fallback)
      : target_(target), parser_(std::move(parser)), fallback_(fallback) {}
  bool is_composing() const override { return false; }
  void parse(boost::any& store, const std::vector<std::string>& tokens, bool) const override {
    store = parsed(parser_, tokens.front());
  }
  bool apply_default(boost::any& store) const override {
    if (!fallback_.empty()) store = parsed(parser_, fallback_);
    return !fallback_.empty();
  }
  void notify(const boost::any& store) const override { target_ = boost::any_cast<T>(store); }

private:
  T& target_;
  Parser<T> parser_;
  std::string fallback_;
};

template <class T>
class ListValue : public Semantic {
public:
  ListValue(std::vector<T>& target, Parser<T> parser, std::string_view fallback)
      : target_(target), parser_(std::move(parser)), fallback_(fallback) {}
  bool is_composing() const override { return true; }
  void parse(boost::any& store, const std::vector<std::string>& tokens, bool) const override {
    T value = parsed(parser_, tokens.front());
    if (store.empty()) store = std::vector<T>();
    boost::any_cast<std::vector<T>&>(store).push_back(std::move(value));
  }
  bool apply_default(boost::any& store) const override {
    if (!fallback_.empty()) parse(store, {fallback_}, false);
    return !fallback_.empty();
  }
  void notify(const boost::any& store) const override {
    target_ = boost::any_cast<std::vector<T>>(store);
  }

private:
  std::vector<T>& target_;
  Parser<T> parser_;
  std::string fallback_;
};

// The keys of one section, bound to where their values go.
class Keys {
public:
  template <class T>
  void one(const char* key, T& target, Parser<T> parser, const char* fallback,
           const char* description) {
    add(key, new SingleValue<T>(target, std::move(parser), fallback), fallback, description, false);
  }
  template <class T>
  void many(const char* key, std::vector<T>& target, Parser<T> parser, const char* fallback,
            const char* description) {
    add(key, new ListValue<T>(target, std::move(parser), fallback), fallback, description, true);
  }
  void required(const char* key) { rows_.at(key).is_required = true; }

  // Types what the section has, gives the rest its defaults; every error goes to the draft.
  void read(const ConfigSection& section, ConfigDraft& draft) const;
  void list(const std::string& section, std::vector<ConfigKey>& out) const;

private:
  void add(const char* key, const po::value_semantic* value, const char* fallback,
           const char* description, bool is_repeatable);
  void read_value(const ConfigEntry& entry, boost::any& store, ConfigDraft& draft) const;
  void unknown(const ConfigSection& section, const ConfigEntry& entry, ConfigDraft& draft) const;

  po::options_description options_;
  std::map<std::string, ConfigKey> rows_;
};

[[nodiscard]] std::unexpected<BadValue> outside(std::string_view text, const std::string& low,
                                                const std::string& high);

template <class T>
Parser<T> number(std::uint64_t low, std::uint64_t high) {
  return [low, high](std::string_view text) -> ConfigValue<T> {
    const auto value = parse_count(text);
    if (!value) return std::unexpected(value.error());
    if (*value < low || *value > high)
      return outside(text, std::to_string(low), std::to_string(high));
    return static_cast<T>(*value);
  };
}

template <class T>
Parser<T> size(std::uint64_t low, std::uint64_t high) {
  return [low, high](std::string_view text) -> ConfigValue<T> {
    const auto value = parse_size(text);
    if (!value) return std::unexpected(value.error());
    if (*value < low || *value > high)
      return outside(text, std::to_string(low), std::to_string(high));
    return static_cast<T>(*value);
  };
}

template <class T>
Parser<T> duration(std::chrono::milliseconds low, std::chrono::milliseconds high) {
  return [low, high](std::string_view text) -> ConfigValue<T> {
    const auto value = parse_duration(text);
    if (!value) return std::unexpected(value.error());
    if (*value < low || *value > high)
      return outside(text, duration_text(low), duration_text(high));
    const T result = std::chrono::duration_cast<T>(*value);
    if (result != *value)
      return std::unexpected(
          BadValue{"'" + std::string(text) + "' is not a whole number of seconds", ""});
    return result;
  };
}

template <class T>
Parser<T> choice(std::vector<std::string_view> words, std::vector<T> values) {
  return [words = std::move(words),
          values = std::move(values)](std::string_view text) -> ConfigValue<T> {
    const auto index = parse_choice(text, words);
    if (!index) return std::unexpected(index.error());
    return values[*index];
  };
}

inline Parser<bool> yes_or_no() {
  return choice<bool>({"yes", "no"}, {true, false});
}

} // namespace midcom::config
