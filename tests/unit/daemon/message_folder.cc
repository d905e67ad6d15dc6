// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/daemon/message_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "daemon/certificate_command.h"
#include "daemon/inspect_command.h"
#include "daemon/open_command.h"
#include "daemon/seal_command.h"

namespace midcom::test {

const std::string srtp_key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const std::string shared_part =
    "v=0\r\no=alice 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 49170 RTP/SAVP 0\r\n";
const std::string whole_description =
    shared_part + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + srtp_key + "\r\n";

namespace {

const std::string head =
    "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>\r\n"
    "Call-ID: 1@192.0.2.10\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.10>\r\n"
    "Content-Type: application/sdp\r\n\r\n";

struct Command {
  std::string_view name;
  int (*run)(int count, char** words);
};
constexpr std::array commands{Command{"certs", run_certificate_command},
                              Command{"inspect", run_inspect_command},
                              Command{"open", run_open_command}, Command{"seal", run_seal_command}};

// Names with a dot are of files in the folder, unless they are a domain's or a host's.
std::string in_folder(const std::string& word, const std::string& folder) {
  const bool is_file = word.contains('.') && !word.contains("example");
  return is_file ? folder + "/" + word : word;
}

} // namespace

MessageFolder::MessageFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "messages-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error(pattern);
  folder_ = pattern;
  const CommandResult made = run("certs ./ --domain example.com --gateway gw.example.com "
                                 "--user alice --user bob --user carol");
  if (made.status != 0) throw std::runtime_error(made.complaint);
  write("plain.sip", head + whole_description);
}

MessageFolder::~MessageFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MessageFolder::write(const std::string& name, std::string_view octets) const {
  std::ofstream(path(name), std::ios::binary) << octets;
}

std::string MessageFolder::read(const std::string& name) const {
  std::ostringstream octets;
  octets << std::ifstream(path(name), std::ios::binary).rdbuf();
  return octets.str();
}

CommandResult MessageFolder::run(const std::string& line) const {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(in_folder(word, folder_));
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  CommandResult result;
  for (const Command& command : commands) {
    if (command.name != words.front()) continue;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    result.status = command.run(static_cast<int>(words.size()), pointers.data());
    result.output = testing::internal::GetCapturedStdout();
    result.complaint = testing::internal::GetCapturedStderr();
  }
  return result;
}

} // namespace midcom::test
