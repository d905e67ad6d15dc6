// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/certificate_command.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/exit_status.h"
#include "sip/e2m/trust.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Words = std::vector<std::string>;

class CertificateCommand : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "certs-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    parent_ = pattern;
    folder_ = parent_ + "/made";
  }
  void TearDown() override {
    std::error_code ignored;
    if (!parent_.empty()) std::filesystem::remove_all(parent_, ignored);
  }

  static int run(Words words) {
    words.insert(words.begin(), "certs");
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = run_certificate_command(static_cast<int>(words.size()), pointers.data());
    output() = testing::internal::GetCapturedStdout();
    complaint() = testing::internal::GetCapturedStderr();
    return status;
  }
  int run_with(const Words& more) const {
    Words words{folder_, "--domain", "example.com", "--gateway", "gw.example.com"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  std::set<std::string> made() const {
    std::set<std::string> names;
    if (std::filesystem::exists(folder_))
      for (const auto& file : std::filesystem::directory_iterator(folder_))
        names.insert(file.path().filename());
    return names;
  }
  e2m::Certificate certificate(const std::string& name) const {
    return e2m::Certificate::from_pem(read(name + ".pem")).value();
  }

  static std::string& output() {
    static std::string text;
    return text;
  }
  static std::string& complaint() {
    static std::string text;
    return text;
  }
  std::string parent_, folder_;
};

TEST_F(CertificateCommand, MakesWhatItSays) {
  ASSERT_EQ(run_with({"--user", "alice", "--user", "bob", "--revoke", "bob"}), exit_ok)
      << complaint();
  const std::set<std::string> expected{"ca.pem",    "ca.key",  "gw.pem",  "gw.key", "alice.pem",
                                       "alice.key", "bob.pem", "bob.key", "crl.pem"};
  EXPECT_EQ(made(), expected);
  for (const std::string& name : expected) {
    EXPECT_NE(output().find(folder_ + "/" + name + ": "), std::string::npos) << name;
    struct stat status{};
    ASSERT_EQ(::stat((folder_ + "/" + name).c_str(), &status), 0);
    if (name.ends_with(".key")) {
      EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
    }
  }
  EXPECT_EQ(output().find("PRIVATE"), std::string::npos);

  auto store = e2m::TrustStore::make(
      {.authorities = {read("ca.pem")}, .revocation_lists = {read("crl.pem")}});
  ASSERT_TRUE(store);
  const std::int64_t now = std::time(nullptr);
  const auto gateway = store->check_encryption_certificate(certificate("gw"), {}, now);
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->dns_names(), Words{"gw.example.com"});
  const auto alice = store->check_encryption_certificate(certificate("alice"), {}, now);
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->uris(), Words{"sip:alice@example.com"});
  EXPECT_TRUE(
      certificate("alice").belongs_to(e2m::PrivateKey::from_pem(read("alice.key")).value()));
  const auto bob = store->check_encryption_certificate(certificate("bob"), {}, now);
  ASSERT_FALSE(bob);
  EXPECT_EQ(bob.error(), e2m::Distrust::revoked);
}

TEST_F(CertificateCommand, DaysAndKeys) {
  ASSERT_EQ(run_with({"--user", "alice", "--days", "3", "--key", "rsa2048"}), exit_ok);
  const auto alice = certificate("alice");
  EXPECT_EQ(alice.key_kind(), e2m::KeyKind::rsa);
  EXPECT_NEAR(static_cast<double>(alice.not_after()),
              static_cast<double>(std::time(nullptr) + std::int64_t{3} * 86400), 60);
}

TEST_F(CertificateCommand, OverwritesNothing) {
  ASSERT_EQ(run_with({"--user", "alice"}), exit_ok);
  const std::string before = read("ca.key");
  EXPECT_EQ(run_with({"--user", "carol"}), exit_failure);
  EXPECT_NE(complaint().find("ca.pem: is there already"), std::string::npos) << complaint();
  EXPECT_EQ(read("ca.key"), before);
  EXPECT_FALSE(made().contains("carol.pem"));
}

TEST_F(CertificateCommand, NoneWhenOneIsThere) {
  std::filesystem::create_directory(folder_);
  std::filesystem::create_symlink("/nowhere/at/all", folder_ + "/crl.pem");
  EXPECT_EQ(run_with({"--user", "alice"}), exit_failure);
  EXPECT_EQ(made(), std::set<std::string>{"crl.pem"});
}

TEST_F(CertificateCommand, FolderThatCannotBe) {
  std::ofstream(folder_) << "a file";
  EXPECT_EQ(run_with({"--user", "alice"}), exit_failure);
  folder_ = parent_ + "/a/b";
  EXPECT_EQ(run_with({"--user", "alice"}), exit_failure);
}

TEST_F(CertificateCommand, WrongCommandLines) {
  for (const Words& more : std::vector<Words>{{},
                                              {"--user", ""},
                                              {"--user", "../alice"},
                                              {"--user", ".alice"},
                                              {"--user", "-alice"},
                                              {"--user", "a@b"},
                                              {"--user", "ca"},
                                              {"--user", "gw"},
                                              {"--user", "crl"},
                                              {"--user", std::string(65, 'a')},
                                              {"--user", "alice", "--user", "alice"},
                                              {"--user", "alice", "--revoke", "bob"},
                                              {"--user", "alice", "--days", "0"},
                                              {"--user", "alice", "--days", "99999"},
                                              {"--user", "alice", "--days", "3x"},
                                              {"--user", "alice", "--key", "dsa"},
                                              {"--user", "alice", "--domain", "exa mple"},
                                              {"--user", "alice", "another"},
                                              {"--user", "alice", "--colour", "blue"},
                                              {"--user"}}) {
    EXPECT_EQ(run_with(more), exit_usage) << testing::PrintToString(more);
    EXPECT_NE(complaint().find("usage: midcomctl certs"), std::string::npos);
  }
  EXPECT_EQ(run({}), exit_usage);
  EXPECT_EQ(run({folder_, "--user", "alice"}), exit_usage);
  EXPECT_TRUE(made().empty());
}

} // namespace
} // namespace midcom
