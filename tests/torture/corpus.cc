// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/torture/corpus.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/torture/table.h"

namespace midcom::torture {
namespace {

std::string archive_path() {
  if (const char* named = std::getenv("MIDCOM_CORPORA")) return named;
  return std::string(MIDCOM_SOURCE_DIR) + "/../shared/corpora.tar.gz";
}

bool unpack_once(const std::string& archive, const std::string& folder) {
  const std::string command = "tar -xzf '" + archive + "' -C '" + folder + "'";
  static const bool is_unpacked = std::system(command.c_str()) == 0;
  return is_unpacked;
}

// The tests of one program share it.
const TemporaryFolder& folder() {
  static const TemporaryFolder shared;
  return shared;
}

} // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "torture-XXXXXX").string();
  if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

void Corpus::SetUp() {
  const std::string archive = archive_path();
  if (!is_file(archive))
    GTEST_SKIP() << archive << " is not there; MIDCOM_CORPORA may name the archive";
  ASSERT_TRUE(unpack_once(archive, folder().path())) << archive;
  for (const auto& row : read_table(std::string(MIDCOM_SOURCE_DIR) + "/tests/torture/argued.tsv"))
    argued_.insert(row.at(0) + " " + row.at(1));
  rows_ = read_table(folder().path() + "/corpora/manifest.tsv");
  ASSERT_GT(rows_.size(), 1U);
  rows_.erase(rows_.begin());
}

std::string Corpus::bytes_of_file(const std::string& name) const {
  return read_bytes(folder().path() + "/corpora/" + name);
}

std::string Corpus::bytes_of(const std::vector<std::string>& row) const {
  return bytes_of_file(row.at(Column::file));
}

void Corpus::judge(const std::string& name, Expectation expected, bool accepted) {
  judged_.insert(name);
  if (expected == Expectation::either) return;
  if (accepted == (expected == Expectation::accept)) return;
  deviating_.insert(name);
  EXPECT_TRUE(argued_.contains(name))
      << name << (accepted ? ": accepted" : ": refused") << " against the manifest";
}

void Corpus::check_argued() const {
  for (const std::string& name : argued_) {
    if (!judged_.contains(name)) continue; // another test's row
    EXPECT_TRUE(deviating_.contains(name)) << name << " is argued for but does not deviate";
  }
}

} // namespace midcom::torture
