// SPDX-License-Identifier: GPL-3.0-or-later
// The corpus of test messages, unpacked where it is at hand, and its manifest. Where it is not, the
// test is skipped.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace midcom::torture {

enum class Expectation { accept, reject, either };
enum Column { file = 1, kind = 2, stream_expect = 5, datagram_expect = 6, columns = 10 };

// A folder that is gone with the object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

class Corpus : public testing::Test {
protected:
  void SetUp() override;
  [[nodiscard]] std::string bytes_of(const std::vector<std::string>& row) const;
  // Octets of a file by its name in the manifest.
  [[nodiscard]] std::string bytes_of_file(const std::string& name) const;
  // What deviates from the manifest must stand in argued.tsv.
  void judge(const std::string& name, Expectation expected, bool accepted);
  // What stands there must deviate.
  void check_argued() const;

  std::vector<std::vector<std::string>> rows_;
  std::set<std::string> argued_, deviating_, judged_;
};

} // namespace midcom::torture
