// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/name_servers.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace midcom {

namespace {

constexpr std::uint16_t domain_port = 53;
constexpr std::streamsize largest_file = 65536;
constexpr std::string_view blanks = " \t\r";

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

} // namespace

std::vector<sip::Endpoint> name_servers_in(std::string_view text) {
  std::vector<sip::Endpoint> servers;
  while (!text.empty() && servers.size() < most_name_servers) {
    const std::size_t size = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    if (take_word(line) != "nameserver") continue;
    const auto address = sip::IpAddress::parse(take_word(line));
    if (address && !address->is_unspecified()) servers.push_back({*address, domain_port});
  }
  return servers;
}

std::vector<sip::Endpoint> name_servers_of_host() {
  std::ifstream file("/etc/resolv.conf", std::ios::binary);
  std::string text(static_cast<std::size_t>(largest_file), '\0');
  file.read(text.data(), largest_file);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return name_servers_in(text);
}

} // namespace midcom
