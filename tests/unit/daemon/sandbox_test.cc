// SPDX-License-Identifier: GPL-3.0-or-later
// Each case drops its privileges in a process of its own and reports by its exit status. Without
// root they are skipped.
#include "daemon/sandbox.h"

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/file_descriptor.h"
#include "tests/unit/daemon/in_child.h"

namespace midcom {
namespace {

using test::in_child;

constexpr Account nobody{65534, 65534};

class Sandbox : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    char name[] = "/tmp/midcomd-sandbox-XXXXXX";
    path = ::mkdtemp(name);
    ::chmod(path.c_str(), 0555);
    empty = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override {
    if (!path.empty()) ::rmdir(path.c_str());
  }

  static std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += word + "; ";
    return text;
  }

  std::string path;
  FileDescriptor empty;
};

TEST_F(Sandbox, LeavesNothingToTheAgent) {
  EXPECT_EQ(in_child([&] {
              drop_privileges(empty.get(), nobody, Kept::nothing);
              prove_dropped(nobody, Kept::nothing);
              return std::string("proven");
            }),
            "proven");
}

TEST_F(Sandbox, LeavesNetAdminAloneToTheMiddlebox) {
  EXPECT_EQ(in_child([&] {
              drop_privileges(empty.get(), nobody, Kept::net_admin);
              prove_dropped(nobody, Kept::net_admin);
              return std::string("proven");
            }),
            "proven");
}

TEST_F(Sandbox, WorksFromTheSupervisorsOwnLimits) {
  EXPECT_EQ(in_child([&] {
              limit_supervisor();
              drop_privileges(empty.get(), nobody, Kept::net_admin);
              prove_dropped(nobody, Kept::net_admin);
              return std::string("proven");
            }),
            "proven");
}

TEST_F(Sandbox, SeesEverythingThatWasNotDropped) {
  const std::string left = in_child([&] {
    ::prctl(PR_SET_DUMPABLE, 1); // a test before may have changed ids, which takes it away
    return join(leftover_privileges(nobody, Kept::nothing));
  });
  for (const char* item :
       {"a user id", "a group id", "setuid(0) works", "setgid(0) works", "effective capabilities",
        "permitted capabilities", "bounding set", "new privileges possible", "dumpable",
        "files are visible", "the root directory is writable", "nftables may be written"})
    EXPECT_NE(left.find(item), std::string::npos) << item << " not in: " << left;
}

TEST_F(Sandbox, SeesOneCapabilityTooMany) {
  const std::string left = in_child([&] {
    drop_privileges(empty.get(), nobody, Kept::net_admin);
    return join(leftover_privileges(nobody, Kept::nothing));
  });
  EXPECT_EQ(left, "effective capabilities; permitted capabilities; nftables may be written; ");
}

TEST_F(Sandbox, SeesOneCapabilityTooFew) {
  const std::string left = in_child([&] {
    drop_privileges(empty.get(), nobody, Kept::nothing);
    return join(leftover_privileges(nobody, Kept::net_admin));
  });
  EXPECT_EQ(left, "effective capabilities; permitted capabilities; ");
}

TEST_F(Sandbox, SeesAnotherAccount) {
  const std::string left = in_child([&] {
    drop_privileges(empty.get(), nobody, Kept::nothing);
    return join(leftover_privileges({1, 1}, Kept::nothing));
  });
  EXPECT_EQ(left, "a user id is not the account's; a group id is not the account's; ");
}

TEST_F(Sandbox, SeesIdsDroppedWithoutTheRest) {
  const std::string left = in_child([&] {
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0)
      return std::string("failed");
    return join(leftover_privileges(nobody, Kept::nothing));
  });
  EXPECT_NE(left.find("bounding set"), std::string::npos) << left;
  EXPECT_NE(left.find("files are visible"), std::string::npos) << left;
  EXPECT_EQ(left.find("setuid(0)"), std::string::npos) << left;
}

TEST_F(Sandbox, SeesADirectoryThatIsNotEmpty) {
  const std::string left = in_child([&] {
    const FileDescriptor tmp(::open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    drop_privileges(tmp.get(), nobody, Kept::nothing);
    return join(leftover_privileges(nobody, Kept::nothing));
  });
  EXPECT_NE(left.find("files are visible"), std::string::npos) << left;
}

TEST_F(Sandbox, RefusesRootsAccount) {
  EXPECT_EQ(in_child([&] {
              drop_privileges(empty.get(), {0, 0}, Kept::nothing);
              return std::string("dropped");
            }),
            "thrown: privileges: the account of a role must not be root's");
}

TEST_F(Sandbox, SupervisorKeepsWhatStartingChildrenTakes) {
  EXPECT_EQ(in_child([&] {
              limit_supervisor();
              const bool is_limited = ::prctl(PR_CAPBSET_READ, 21 /* SYS_ADMIN */, 0, 0, 0) == 0 &&
                                      ::prctl(PR_CAPBSET_READ, 1 /* DAC_OVERRIDE */, 0, 0, 0) == 0;
              const bool keeps = ::prctl(PR_CAPBSET_READ, 12 /* NET_ADMIN */, 0, 0, 0) == 1 &&
                                 ::prctl(PR_CAPBSET_READ, 7 /* SETUID */, 0, 0, 0) == 1;
              return std::string(is_limited && keeps ? "limited" : "not limited");
            }),
            "limited");
}

} // namespace
} // namespace midcom
