// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_process.h"

#include <memory>
#include <openssl/crypto.h>
#include <utility>

#include "daemon/agent_link.h"
#include "daemon/call_filter.h"
#include "daemon/channel_codec.h"
#include "daemon/child_process.h"
#include "daemon/event_loop.h"
#include "daemon/memory_file.h"
#include "daemon/opener.h"
#include "daemon/role_slice.h"
#include "daemon/role_start.h"
#include "daemon/sandbox.h"

namespace midcom {

namespace {

constexpr std::size_t secret_heap = 1 << 20, smallest_secret = 32;

// All that came with the supervisor's first message.
struct OpenerStart {
  Account account;
  FileDescriptor empty_directory;
  OpenerSlice slice;
  FileDescriptor certificate, key, authorities, revocation_lists;
  std::vector<FileDescriptor> users; // certificate and key of each
};

constexpr std::size_t files_before_users = 6;

OpenerStart read_start(Channel::Message message) {
  const auto decoded = decode_control(message.bytes);
  const auto* start = decoded ? std::get_if<control::StartOpener>(&*decoded) : nullptr;
  auto& files = message.descriptors;
  if (start == nullptr || files.size() < files_before_users)
    throw RoleFailure(exit_failure, "the supervisor's first message is malformed");
  auto slice = decode_opener_slice(contents_of(files[1]));
  if (!slice || files.size() != files_before_users + 2 * slice->users.size())
    throw RoleFailure(exit_failure, "the configuration slice is malformed");
  OpenerStart result{.account = {start->uid, start->gid},
                     .empty_directory = std::move(files[0]),
                     .slice = std::move(*slice),
                     .certificate = std::move(files[2]),
                     .key = std::move(files[3]),
                     .authorities = std::move(files[4]),
                     .revocation_lists = std::move(files[5]),
                     .users = {}};
  for (std::size_t index = files_before_users; index < files.size(); ++index)
    result.users.push_back(std::move(files[index]));
  return result;
}

// While its configuration can be read; keys go to a heap of its own, locked, with guard pages
// around it and in no core dump. 2: it could not be locked (RLIMIT_MEMLOCK).
void prepare_libcrypto(Log& log) {
  if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1)
    throw RoleFailure(exit_failure, "libcrypto can't be set up");
  const int made = CRYPTO_secure_malloc_init(secret_heap, smallest_secret);
  if (made == 0) throw RoleFailure(exit_failure, "no memory for keys");
  if (made == 2)
    log.write(Event(Level::warning, "opener.memory")
                  .add("detail", "keys may be swapped: their memory can't be locked"));
}

std::unique_ptr<Opener> make_opener(OpenerStart& start) {
  std::vector<OpenerMaterial::User> users;
  for (std::size_t i = 0; i < start.slice.users.size(); ++i)
    users.push_back({std::move(start.slice.users[i]), contents_of(start.users[2 * i]),
                     contents_of(start.users[2 * i + 1])});
  auto opener =
      Opener::make({.certificate = contents_of(start.certificate),
                    .key = contents_of(start.key),
                    .users = std::move(users),
                    .authorities = contents_of(start.authorities),
                    .revocation_lists = contents_of(start.revocation_lists),
                    .extended_key_usages = std::move(start.slice.extended_key_usages),
                    .is_crl_required = start.slice.crl_policy == OpenerConfig::CrlPolicy::required,
                    .cek_lifetime = start.slice.cek_lifetime.count()});
  if (!opener) throw RoleFailure(exit_config, opener.error());
  for (FileDescriptor* file :
       {&start.certificate, &start.key, &start.authorities, &start.revocation_lists})
    file->reset();
  start.users.clear();
  return std::move(*opener);
}

// Each request is answered before the next is read: what waits, waits in the channel, and is
// bounded by the agent.
class OpenerProcess {
public:
  OpenerProcess(Opener& opener, Log& log, FileDescriptor control)
      : agent_(loop_, log, std::move(control),
               {.on_record = [this, &opener](std::string_view bytes) {
                 const auto request = opener::decode_request(bytes);
                 if (request) agent_.send(encode(opener.handle(*request)));
                 return request.has_value();
               }}) {}

  void run() { agent_.run(); }

private:
  EventLoop loop_;
  AgentLink agent_;
};

} // namespace

int run_opener() {
  return run_role("opener", [] {
    Channel control{FileDescriptor(channel_fd)};
    OpenerStart start = read_start(await_start(control, "midcomd-opener"));
    const auto log = open_role_log(start.slice.log, "opener");
    prepare_libcrypto(*log);
    std::unique_ptr<Opener> opener;
    std::unique_ptr<OpenerProcess> process;
    const CallFilter filter = filter_of_this_build();
    try {
      drop_privileges(start.empty_directory.get(), start.account, Kept::nothing);
      start.empty_directory.reset();
      prove_dropped(start.account, Kept::nothing);
      opener = make_opener(start);
      process = std::make_unique<OpenerProcess>(*opener, *log, std::move(control).take());
      limit_system_calls_and_prove(filter);
    } catch (const RoleFailure&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw RoleFailure(exit_no_permission, error.what());
    }
    log->write(Event(filter == CallFilter::strict ? Level::info : Level::warning, "opener.sandbox")
                   .add("system_calls", to_string(filter)));
    process->run();
    return exit_ok;
  });
}

} // namespace midcom
