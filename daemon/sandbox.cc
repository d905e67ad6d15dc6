// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/sandbox.h"

#include <netinet/in.h> // before the linux headers, which then leave its names alone

#include <array>
#include <cap-ng.h>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <initializer_list>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/file_descriptor.h"

namespace midcom {

namespace {

[[noreturn]] void fail(const char* step) {
  throw std::runtime_error(std::string("privileges: ") + step + ": " + std::strerror(errno));
}

std::size_t entries_of(const char* path) {
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return 0;
  std::size_t entries = 0;
  while (const dirent* entry = ::readdir(directory))
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) ++entries;
  ::closedir(directory);
  return entries;
}

void enter_directory(int empty_directory) {
  if (::fchdir(empty_directory) != 0) fail("fchdir");
  if (::chroot(".") != 0) fail("chroot");
  if (::chdir("/") != 0) fail("chdir");
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) fail("RLIMIT_CORE");
}

struct CapabilitySets {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
};

CapabilitySets own_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) fail("capget");
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{low} | std::uint64_t{high} << 32;
  };
  CapabilitySets sets{.effective = join(data[0].effective, data[1].effective),
                      .permitted = join(data[0].permitted, data[1].permitted),
                      .inheritable = join(data[0].inheritable, data[1].inheritable)};
  for (unsigned long number = 0; number < 64; ++number) {
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) sets.bounding |= std::uint64_t{1} << number;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 1)
      sets.ambient |= std::uint64_t{1} << number;
  }
  return sets;
}

// The head of a batch that makes a table, without its end: a kernel that lets us would check it and
// throw it away. It answers EPERM to a sender without the capability.
bool may_write_nftables() {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket) return false;
  struct Head {
    nlmsghdr message;
    nfgenmsg family;
  };
  static_assert(sizeof(Head) == 20);
  std::array<Head, 2> batch{};
  batch[0].message = {sizeof(Head), NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
  batch[0].family = {AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)};
  batch[1].message = {sizeof(Head), (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE,
                      NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 2, 0};
  batch[1].family = {NFPROTO_INET, NFNETLINK_V0, 0};
  if (::send(socket.get(), batch.data(), sizeof batch, 0) < 0) return false;
  struct {
    nlmsghdr message;
    nlmsgerr error;
    std::array<char, 256> rest;
  } answer{};
  const ssize_t size = ::recv(socket.get(), &answer, sizeof answer, MSG_DONTWAIT);
  const bool is_refused = size >= static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(int)) &&
                          answer.message.nlmsg_type == NLMSG_ERROR && answer.error.error == -EPERM;
  return !is_refused;
}

void check_ids(Account account, std::vector<std::string>& left) {
  uid_t real = 0, effective = 0, saved = 0;
  if (::getresuid(&real, &effective, &saved) != 0 || real != account.uid ||
      effective != account.uid || saved != account.uid || account.uid == 0)
    left.emplace_back("a user id is not the account's");
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  if (::getresgid(&real_group, &effective_group, &saved_group) != 0 || real_group != account.gid ||
      effective_group != account.gid || saved_group != account.gid || account.gid == 0)
    left.emplace_back("a group id is not the account's");
  if (::getgroups(0, nullptr) != 0) left.emplace_back("supplementary groups");
  if (::setuid(0) == 0 || ::setresuid(0, 0, 0) == 0) left.emplace_back("setuid(0) works");
  if (::setgid(0) == 0 || ::setresgid(0, 0, 0) == 0) left.emplace_back("setgid(0) works");
  if (::setgroups(0, nullptr) == 0) left.emplace_back("setgroups works");
}

void check_capabilities(Kept kept, std::vector<std::string>& left) {
  const CapabilitySets sets = own_capabilities();
  const std::uint64_t wanted =
      kept == Kept::net_admin ? std::uint64_t{1} << CAP_NET_ADMIN : std::uint64_t{0};
  if (sets.effective != wanted) left.emplace_back("effective capabilities");
  if (sets.permitted != wanted) left.emplace_back("permitted capabilities");
  if (sets.inheritable != 0) left.emplace_back("inheritable capabilities");
  if (sets.bounding != 0) left.emplace_back("bounding set");
  if (sets.ambient != 0) left.emplace_back("ambient capabilities");
}

void check_process(std::vector<std::string>& left) {
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) left.emplace_back("new privileges possible");
  if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) left.emplace_back("dumpable");
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
    left.emplace_back("core dumps");
}

void check_files(std::vector<std::string>& left) {
  if (entries_of("/") != 0 || ::access("/etc", F_OK) == 0) left.emplace_back("files are visible");
  const int made = ::open("/x", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) return;
  ::close(made);
  ::unlink("/x");
  left.emplace_back("the root directory is writable");
}

} // namespace

void drop_privileges(int empty_directory, Account account, Kept kept) {
  if (account.uid == 0 || account.gid == 0)
    throw std::runtime_error("privileges: the account of a role must not be root's");
  // Ids and capabilities are a thread's: another thread would keep them.
  if (entries_of("/proc/self/task") > 1)
    throw std::runtime_error("privileges: more than one thread at the time of dropping");
  forbid_core_dumps();
  enter_directory(empty_directory);
  capng_clear(CAPNG_SELECT_ALL);
  if (kept == Kept::net_admin &&
      capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                   CAP_NET_ADMIN) != 0)
    fail("capng_update");
  const int changed = capng_change_id(
      static_cast<int>(account.uid), static_cast<int>(account.gid),
      static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT));
  if (changed != 0)
    throw std::runtime_error("privileges: capng_change_id: step " + std::to_string(-changed));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  // After the change of ids, which sets it as the system's suid_dumpable says.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail("PR_SET_DUMPABLE");
}

std::vector<std::string> leftover_privileges(Account account, Kept kept) {
  std::vector<std::string> left;
  check_ids(account, left);
  check_capabilities(kept, left);
  check_process(left);
  check_files(left);
  if (kept == Kept::nothing && may_write_nftables()) left.emplace_back("nftables may be written");
  return left;
}

void prove_dropped(Account account, Kept kept) {
  const auto left = leftover_privileges(account, kept);
  if (left.empty()) return;
  std::string text = "privileges left over:";
  for (const auto& item : left) text += " " + item + ";";
  text.pop_back();
  throw std::runtime_error(text);
}

void limit_supervisor() {
  forbid_core_dumps();
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail("PR_SET_DUMPABLE");
  // What the service manager did not give us is not asked for.
  capng_clear(CAPNG_SELECT_ALL);
  const std::uint64_t permitted = own_capabilities().permitted;
  const auto sets =
      static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
  for (const unsigned number :
       {unsigned{CAP_SETUID}, unsigned{CAP_SETGID}, unsigned{CAP_SETPCAP}, unsigned{CAP_SYS_CHROOT},
        unsigned{CAP_NET_ADMIN}, unsigned{CAP_KILL}})
    if ((permitted >> number & 1) != 0) (void)capng_update(CAPNG_ADD, sets, number);
  if (const int applied = capng_apply(CAPNG_SELECT_BOTH); applied != 0)
    throw std::runtime_error("privileges: capng_apply: step " + std::to_string(-applied));
}

} // namespace midcom
