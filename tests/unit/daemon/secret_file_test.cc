// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/secret_file.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace midcom {
namespace {

class SecretFile : public testing::Test {
public:
  SecretFile() {
    char name[] = "/tmp/midcomd-secret-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~SecretFile() override { std::filesystem::remove_all(path); }

  void write(std::size_t size, mode_t mode) {
    std::ofstream(path + "/secret") << std::string(size, 'k');
    ::chmod((path + "/secret").c_str(), mode);
  }
  [[nodiscard]] FileDescriptor directory() const {
    return FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  [[nodiscard]] std::expected<SecretKey, std::string> load() const {
    return load_or_make_secret(directory().get());
  }
  std::string path;
};

TEST_F(SecretFile, IsMadeOncePrivateAndKept) {
  const auto first = load();
  ASSERT_TRUE(first) << first.error();
  struct stat status{};
  ASSERT_EQ(::stat((path + "/secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_EQ(load(), first);
  EXPECT_FALSE(std::ranges::all_of(*first, [](std::uint8_t octet) { return octet == 0; }));
  const auto entries = std::filesystem::directory_iterator(path);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "a temporary file is left";
}

TEST_F(SecretFile, IsPrivateWhateverTheUmask) {
  const mode_t old = ::umask(0);
  const auto secret = load();
  ::umask(old);
  EXPECT_TRUE(secret);
}

TEST_F(SecretFile, IsReadAsItIs) {
  write(32, 0600);
  SecretKey wanted;
  wanted.fill('k');
  EXPECT_EQ(load(), wanted);
  ::chmod((path + "/secret").c_str(), 0400);
  EXPECT_EQ(load(), wanted);
}

TEST_F(SecretFile, IsRefusedWhenOthersMayReadIt) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0666U}) {
    write(32, mode);
    EXPECT_THAT(load().error(), testing::HasSubstr("0600")) << mode;
  }
}

TEST_F(SecretFile, IsRefusedWhenNot32OctetsLong) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    write(size, 0600);
    EXPECT_THAT(load().error(), testing::HasSubstr("32 octets")) << size;
  }
}

TEST_F(SecretFile, IsRefusedWhenItIsNoFile) {
  ::mkdir((path + "/secret").c_str(), 0700);
  EXPECT_THAT(load().error(), testing::HasSubstr("regular"));
  ::rmdir((path + "/secret").c_str());
  ASSERT_EQ(::mkfifo((path + "/secret").c_str(), 0600), 0);
  EXPECT_THAT(load().error(), testing::HasSubstr("regular"));
}

TEST_F(SecretFile, IsNotReadThroughALink) {
  std::ofstream(path + "/target") << std::string(32, 'k');
  ::chmod((path + "/target").c_str(), 0600);
  ASSERT_EQ(::symlink("target", (path + "/secret").c_str()), 0);
  EXPECT_FALSE(load());
}

TEST_F(SecretFile, IsTheSameForTwoFirstStarts) {
  constexpr int starts = 8;
  std::vector<pid_t> children;
  for (int index = 0; index < starts; ++index) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const auto secret = load();
      const auto again = load();
      ::_exit(secret && again == secret ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(SecretFile, StateDirectoryIsMadePrivate) {
  const std::string state = path + "/state";
  ASSERT_TRUE(open_state_directory(state));
  EXPECT_EQ(std::filesystem::status(state).permissions(), std::filesystem::perms(0700));
  EXPECT_TRUE(open_state_directory(state));
  ::chmod(state.c_str(), 0770);
  EXPECT_FALSE(open_state_directory(state));
  EXPECT_FALSE(open_state_directory(path + "/no/such/parent"));
}

TEST_F(SecretFile, EmptyDirectoryMustBeEmpty) {
  ASSERT_TRUE(open_empty_directory(directory().get()));
  EXPECT_TRUE(open_empty_directory(directory().get()));
  std::ofstream(path + "/empty/.hidden") << "x";
  EXPECT_FALSE(open_empty_directory(directory().get()));
  std::filesystem::remove(path + "/empty/.hidden");
  ::chmod((path + "/empty").c_str(), 0777);
  EXPECT_FALSE(open_empty_directory(directory().get()));
}

TEST(Secrets, AreDerivedApartAndTheSameEachTime) {
  SecretKey secret{};
  const Secrets one = derive_secrets(secret);
  const std::set<SecretKey> keys{one.flow_token, one.group, one.identity, one.tag, secret};
  EXPECT_EQ(keys.size(), 5U);
  EXPECT_EQ(derive_secrets(secret).group, one.group);
  secret[31] = 1;
  EXPECT_NE(derive_secrets(secret).group, one.group);
}

// Computed apart with HMAC: RFC 5869 with no salt, IKM 32 octets of 0, info "midcomd 1 group".
TEST(Secrets, AreHkdfSha256) {
  const SecretKey expected{0x90, 0x8b, 0x01, 0xe6, 0x34, 0x41, 0x81, 0x08, 0xd6, 0x3e, 0x7a,
                           0x8b, 0x93, 0xc8, 0x21, 0xdc, 0x41, 0x7d, 0x81, 0x47, 0x18, 0x59,
                           0x6c, 0x67, 0xf7, 0x6d, 0x95, 0xfc, 0xd6, 0x32, 0xb3, 0x83};
  EXPECT_EQ(derive_secrets(SecretKey{}).group, expected);
}

TEST(Secrets, GoThroughAMemoryFile) {
  SecretKey secret;
  secret.fill(7);
  const Secrets secrets = derive_secrets(secret);
  const std::string bytes = encode_secrets(secrets);
  EXPECT_EQ(bytes.size(), 4U * 32);
  const auto decoded = decode_secrets(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->flow_token, secrets.flow_token);
  EXPECT_EQ(decoded->group, secrets.group);
  EXPECT_EQ(decoded->identity, secrets.identity);
  EXPECT_EQ(decoded->tag, secrets.tag);
  EXPECT_FALSE(decode_secrets(bytes + "x"));
  EXPECT_FALSE(decode_secrets(bytes.substr(1)));
}

} // namespace
} // namespace midcom
