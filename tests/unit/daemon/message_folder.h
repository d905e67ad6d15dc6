// SPDX-License-Identifier: GPL-3.0-or-later
// A folder with certificates as `midcomctl certs` makes them and a call to be sealed, and the
// commands that work on message files run in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace midcom::test {

struct CommandResult {
  int status = 0;
  std::string output, complaint;
};

class MessageFolder {
public:
  // ca, crl, gw, alice, bob and carol as PEM, and the INVITE plain.sip with an SRTP key.
  MessageFolder();
  ~MessageFolder();
  MessageFolder(const MessageFolder&) = delete;
  MessageFolder& operator=(const MessageFolder&) = delete;

  void write(const std::string& name, std::string_view octets) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  // The command by the words a person would type in this folder: "seal plain.sip --sign ...".
  [[nodiscard]] CommandResult run(const std::string& line) const;

private:
  std::string folder_;
};

extern const std::string srtp_key;                       // as it stands in plain.sip
extern const std::string whole_description, shared_part; // with and without its line

} // namespace midcom::test
