// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/nft_kernel.h"

#include <cerrno>
#include <map>

#include "pinhole/conntrack.h"
#include "pinhole/nft_batch.h"
#include "pinhole/nft_message.h"
#include "pinhole/tables.h"

namespace midcom::pinhole {

namespace {

constexpr std::size_t keys_per_request = 64; // one message's room
constexpr int dump_attempts = 5;
constexpr int event_limit = 256; // datagrams in one turn

KernelError to_error(int error) {
  return error == EPERM || error == EACCES ? KernelError::no_permission : KernelError::failed;
}

FlowCounter difference(const FlowCounter& later, const FlowCounter& earlier) {
  if (later.packets < earlier.packets || later.bytes < earlier.bytes) return {};
  return {later.packets - earlier.packets, later.bytes - earlier.bytes};
}

} // namespace

KernelResult<std::unique_ptr<NftKernel>> NftKernel::open(std::ifstream queue_statistics) {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  auto events = NetlinkSocket::open();
  if (!events) return std::unexpected(events.error());
  if (!events->subscribe(socket->port())) return std::unexpected(KernelError::no_permission);
  return std::unique_ptr<NftKernel>(
      new NftKernel(std::move(*socket), std::move(*events), std::move(queue_statistics)));
}

KernelResult<std::uint32_t> NftKernel::start(const Policy& policy) {
  policy_ = policy;
  NftBatch question(NftBatch::Kind::plain);
  nft::get_generation(question);
  if (const int error = question.run(socket_); error != 0)
    return std::unexpected(to_error(error) == KernelError::no_permission
                               ? KernelError::no_permission
                               : KernelError::unsupported);
  features_ = probe_features(socket_) & ~policy.masked_features;
  open_queue();
  const Damage missing{.base = policy.mode == Mode::appliance, .flows = true};
  if (const auto done = repair(missing); !done) return std::unexpected(done.error());
  is_started_ = true;
  if (missing.base) install_guard();
  return features_;
}

// Before the rules that fill it. Without it they aren't there, and sinks stay closed.
void NftKernel::open_queue() {
  const bool has_rule = has(native_queue) || has(compat_queue);
  if (has(gate) && has_rule)
    if (auto queue = PacketQueue::open(policy_, std::move(queue_statistics_)); queue)
      queue_ = std::move(*queue);
  if (!queue_) features_ &= ~std::uint32_t{gate};
}

// Nothing depends on it but how a flush ends: going without is no failure.
void NftKernel::install_guard() {
  if (!has(table_owner) || has(table_persist)) return;
  NftBatch batch;
  nft::new_table(batch, guard_table, nft::flag_owner);
  write_guard_table(batch, policy_, features_);
  (void)batch.run(socket_);
}

// Who flushes holds the lock of all commits for a grace period once its socket closes: what comes
// before that takes half a millisecond, what comes later 10 to 15. So nothing is asked before.
bool NftKernel::put_base_back() {
  NftBatch batch;
  nft::new_table(batch, base_table, wanted_flags());
  write_base_table(batch, policy_, features_);
  return batch.run(socket_) == 0;
}

KernelResult<void> NftKernel::repair(Damage damage) {
  if (damage.base && (!is_started_ || !put_base_back()))
    if (const auto done = install(base_table, write_base_table, Contents::rules_only); !done)
      return done;
  if (damage.flows) return install(flow_table, write_flow_table, Contents::flows);
  return {};
}

std::optional<std::uint32_t> NftKernel::flags_of(std::string_view table) {
  NftBatch question(NftBatch::Kind::plain);
  nft::get_table(question, table);
  std::optional<std::uint32_t> flags;
  const int error = question.run(socket_, [&](std::string_view message) {
    if (const auto found = nft::decode_table_flags(message)) flags = found;
  });
  return error == 0 ? flags : std::nullopt;
}

// OWNER alone would take the table away with the process: only together with PERSIST.
std::uint32_t NftKernel::wanted_flags() const {
  return has(table_owner) && has(table_persist) ? nft::flag_owner | nft::flag_persist : 0;
}

// A table can't become owned later: one that holds only rules is made anew in the same batch, so
// that it is never absent; one that holds flows stays as it is.
KernelResult<void> NftKernel::install(std::string_view table, Table write, Contents contents) {
  const std::uint32_t wanted = wanted_flags();
  const bool may_own = wanted != 0;
  const auto present = flags_of(table);
  const bool is_persistent = present && (*present & nft::flag_persist) != 0;
  const bool replace = present && may_own && !is_persistent && contents == Contents::rules_only;
  NftBatch batch;
  if (replace) nft::delete_table(batch, table);
  if (!present || replace || (is_persistent && may_own)) nft::new_table(batch, table, wanted);
  write(batch, policy_, features_);
  const int error = batch.run(socket_);
  if (error == 0) return {};
  if (!present || error == EPERM) return std::unexpected(to_error(error));
  // An older layout: chains or sets of the same names that are otherwise.
  NftBatch anew;
  nft::delete_table(anew, table);
  nft::new_table(anew, table, wanted);
  write(anew, policy_, features_);
  if (const int second = anew.run(socket_); second != 0) return std::unexpected(to_error(second));
  return {};
}

bool NftKernel::restarts_counter(const Change& change) const {
  return change.keeps_counter && (change.kind == Change::Kind::rewrite ||
                                  (change.kind == Change::Kind::refresh && !has(timeout_update)));
}

nft::Limit NftKernel::limit_of(const FlowKey& key) const {
  if (!is_sink(key)) return {};
  return {.rate = policy_.sink_rate, .has_counter = has(element_expressions)};
}

// Without DESTROYSETELEM a deletion can fail, which is dear: so what shall go is added first, for
// as long as the batch takes.
void NftKernel::write_remove(NftBatch& batch, const FlowKey& key) {
  if (has(destroy_element)) {
    nft::delete_element(batch, flow_table, set_of(key), key, nft::Absent::is_fine);
    return;
  }
  nft::new_element(batch, flow_table, set_of(key),
                   {.key = key, .timeout_ms = 1000, .limit = limit_of(key)});
  nft::delete_element(batch, flow_table, set_of(key), key, nft::Absent::is_error);
}

void NftKernel::write_change(NftBatch& batch, const Change& change, const FlowCounter& counted) {
  const bool replaces = change.kind == Change::Kind::rewrite || restarts_counter(change);
  if (change.kind == Change::Kind::remove || replaces) write_remove(batch, change.key);
  if (change.kind == Change::Kind::remove) return;
  nft::new_element(batch, flow_table, set_of(change.key),
                   {.key = change.key,
                    .timeout_ms = static_cast<std::uint64_t>(change.timeout.count()),
                    .userdata = change.userdata,
                    .counter = counted,
                    .limit = limit_of(change.key)});
}

KernelResult<std::vector<FlowCounter>> NftKernel::apply(std::span<const Change> changes) {
  std::vector<FlowKey> restarted;
  for (const Change& change : changes)
    if (restarts_counter(change)) restarted.push_back(change.key);
  const auto before = read(restarted);
  if (!before) return std::unexpected(before.error());

  NftBatch batch;
  std::vector<FlowCounter> counted(changes.size());
  for (std::size_t i = 0, next = 0; i < changes.size(); ++i) {
    if (restarts_counter(changes[i])) counted[i] = (*before)[next++];
    if (is_there(changes[i].key)) write_change(batch, changes[i], counted[i]);
  }
  std::map<FlowKey, FlowCounter> final_counters;
  const int error = batch.run(socket_, [&](std::string_view message) {
    for (const StoredFlow& flow : nft::decode_elements(message).value_or(std::vector<StoredFlow>{}))
      final_counters[flow.key] = flow.counter;
  });
  if (error != 0) return std::unexpected(to_error(error));
  forget_connections(changes);

  std::vector<FlowCounter> counters(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (const auto found = final_counters.find(changes[i].key); found != final_counters.end())
      counters[i] = difference(found->second, counted[i]);
  return counters;
}

void NftKernel::forget_connections(std::span<const Change> changes) {
  if (!policy_.delete_conntrack) return;
  std::vector<FlowKey> closed;
  for (const Change& change : changes)
    if (change.kind == Change::Kind::remove && !is_sink(change.key)) closed.push_back(change.key);
  if (!closed.empty()) (void)delete_conntrack(socket_, closed);
}

KernelResult<std::vector<FlowCounter>> NftKernel::read(std::span<const FlowKey> keys) {
  std::map<FlowKey, FlowCounter> found;
  const auto ask = [&](std::string_view set, std::span<const FlowKey> part) {
    NftBatch question(NftBatch::Kind::plain);
    nft::get_elements(question, flow_table, set, part.data(), part.size());
    return question.run(socket_, [&](std::string_view message) {
      for (const StoredFlow& flow :
           nft::decode_elements(message).value_or(std::vector<StoredFlow>{}))
        found[flow.key] = flow.counter;
    });
  };
  std::map<std::string, std::vector<FlowKey>> by_set;
  for (const FlowKey& key : keys)
    if (is_there(key)) by_set[set_of(key)].push_back(key);
  for (const auto& [set, wanted] : by_set) {
    for (std::size_t from = 0; from < wanted.size(); from += keys_per_request) {
      const auto part =
          std::span(wanted).subspan(from, std::min(keys_per_request, wanted.size() - from));
      int error = ask(set, part);
      // The first that isn't there ends the request: one by one then.
      for (std::size_t i = 0; error == ENOENT && i < part.size(); ++i)
        if (const int single = ask(set, part.subspan(i, 1)); single != ENOENT)
          error = single == 0 ? ENOENT : single;
      if (error != 0 && error != ENOENT) return std::unexpected(to_error(error));
    }
  }
  std::vector<FlowCounter> counters;
  for (const FlowKey& key : keys) counters.push_back(found[key]);
  return counters;
}

std::optional<std::uint32_t> NftKernel::generation() {
  NftBatch question(NftBatch::Kind::plain);
  nft::get_generation(question);
  std::optional<std::uint32_t> generation;
  const int error = question.run(socket_, [&](std::string_view message) {
    if (const auto found = nft::decode_generation(message)) generation = found;
  });
  return error == 0 ? generation : std::nullopt;
}

KernelResult<std::vector<StoredFlow>> NftKernel::dump_once() {
  std::vector<StoredFlow> flows;
  for (const std::string& set : all_sets(features_)) {
    NftBatch question(NftBatch::Kind::plain);
    nft::dump_elements(question, flow_table, set);
    const int error = question.run(socket_, [&](std::string_view message) {
      for (StoredFlow& flow : nft::decode_elements(message).value_or(std::vector<StoredFlow>{}))
        flows.push_back(std::move(flow));
    });
    if (error != 0) return std::unexpected(to_error(error));
  }
  return flows;
}

// A dump isn't flagged when others commit meanwhile: the generation tells.
KernelResult<std::vector<StoredFlow>> NftKernel::dump() {
  for (int attempt = 1;; ++attempt) {
    const auto before = generation();
    auto flows = dump_once();
    if (!flows || attempt == dump_attempts || (before && before == generation())) return flows;
  }
}

Damage NftKernel::take_damage() {
  Damage damage;
  const auto judge = [&](std::string_view message) {
    const auto event = nft::decode_event(message);
    if (!event || event->sender == socket_.port()) return;
    damage.base |= event->table == base_table && policy_.mode == Mode::appliance;
    damage.flows |= event->table == flow_table;
  };
  for (int i = 0; i < event_limit; ++i) {
    const NetlinkSocket::Received received = events_.receive(judge);
    if (received == NetlinkSocket::Received::nothing) break;
    if (received == NetlinkSocket::Received::lost)
      damage = {.base = policy_.mode == Mode::appliance, .flows = true};
  }
  return damage;
}

std::uint64_t NftKernel::stopwatch_us() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

} // namespace midcom::pinhole
