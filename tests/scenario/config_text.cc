// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/config_text.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

namespace midcom::scenario {

namespace {

// `lines` below each header that begins so.
void complete(std::string& text, const std::string& header, const std::string& lines) {
  for (auto at = text.find(header); at != std::string::npos; at = text.find(header, at + 1))
    text.insert(text.find('\n', at) + 1, lines);
}

} // namespace

Config config_of(const std::string& text) {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "midcom-scenario-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
  const fs::path directory = pattern;
  const auto write = [&](const char* name, const std::string& content) {
    const auto path = directory / name;
    std::ofstream(path) << content;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path.string();
  };
  // Nobody loads these: the World has no TLS. The reader wants to see that they are PEM.
  const char* pem = "-----BEGIN NOTHING-----\n-----END NOTHING-----\n";
  std::string whole = text;
  if (text.find("[tls]") == std::string::npos)
    whole += "\n[tls]\ncertificate = " + write("cert.pem", pem) +
             "\nkey = " + write("key.pem", pem) + "\nca = " + write("ca.pem", pem) + "\n";
  const std::string own = "certificate = " + write("smime.pem", pem) + "\n";
  const std::string own_key = "key = " + write("smime.key", pem) + "\n";
  const std::string trusted =
      "ca = " + write("trusted.pem", pem) + "\ncrl = " + write("crl.pem", pem) + "\n";
  const bool is_endpoint = text.find("role = endpoint") != std::string::npos;
  complete(whole, "[smime]\n", is_endpoint ? trusted : own + own_key + trusted);
  complete(whole, "[user ", own + own_key);
  complete(whole, "[middle ", own);
  const auto file = write("midcomd.conf", whole);
  auto config = load_config(file);
  fs::remove_all(directory);
  if (config) return *std::move(config);
  std::string message = "the configuration is refused:";
  for (const auto& error : config.error()) message += "\n  " + error.to_string();
  throw std::runtime_error(message);
}

} // namespace midcom::scenario
