// SPDX-License-Identifier: GPL-3.0-or-later
// A folder of its own for one midcomd.conf and the files it names; nothing is left behind.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "daemon/config.h"

namespace midcom::test {

class ConfigFolder : public ::testing::Test {
protected:
  void SetUp() override; // cert.pem, key.pem (0600) and ca.pem are there
  void TearDown() override;

  std::filesystem::path put(const std::string& name, const std::string& text);
  std::expected<Config, std::vector<ConfigError>> load(const std::string& text);
  // Every error, with the folder cut off.
  std::vector<std::string> errors(const std::string& text);

  std::filesystem::path folder_;
};

inline const std::string base = "[midcomd]\nname = GW.example.com\n"         // 1-2
                                "[listen a]\naddress = udp:192.0.2.1:5060\n" // 3-4
                                "[peer phones]\nnetwork = 192.0.2.0/24\n";   // 5-6
inline const std::string tls = "[tls]\ncertificate = cert.pem\nkey = key.pem\nca = ca.pem\n";

} // namespace midcom::test
