// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/features.h"

#include <cerrno>
#include <chrono>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string_view>
#include <thread>
#include <utility>

#include "pinhole/nft_message.h"

namespace midcom::pinhole {

namespace {

constexpr std::string_view probe_table = "midcomd_probe";
constexpr std::string_view probe_set = "flows";
constexpr std::string_view probe_sinks = "sinks";

FlowKey probe_key() {
  return {{*Address::parse("192.0.2.1"), 1024}, {*Address::parse("192.0.2.2"), 1024}};
}

// Sends what `write` adds to a new table as a rehearsal. ENOENT, EOPNOTSUPP, EINVAL: not there.
template <class Write>
bool is_accepted(NetlinkSocket& socket, std::uint32_t flags, Write write) {
  NftBatch batch(NftBatch::Kind::rehearsal);
  nft::new_table(batch, probe_table, flags);
  write(batch);
  return batch.run(socket) == 0;
}

bool has_rule(NetlinkSocket& socket, const auto& express) {
  return is_accepted(socket, 0, [&](NftBatch& batch) {
    nft::new_forward_chain(batch, probe_table, "probe", 0);
    nft::Rule rule(batch, probe_table, "probe");
    express(rule);
  });
}

bool has_destroy_element(NetlinkSocket& socket) {
  return is_accepted(socket, 0, [](NftBatch& batch) {
    nft::new_set(batch, probe_table, probe_set, {.family = Family::ipv4}, 1, 16);
    nft::delete_element(batch, probe_table, probe_set, probe_key(), nft::Absent::is_fine);
  });
}

bool has_limited_element(NetlinkSocket& socket, bool has_counter) {
  return is_accepted(socket, 0, [&](NftBatch& batch) {
    const FlowKey sink = sink_key(IPPROTO_UDP, probe_key().destination);
    nft::new_set(batch, probe_table, probe_sinks, {.family = Family::ipv4, .is_sinks = true}, 1,
                 16);
    nft::new_element(
        batch, probe_table, probe_sinks,
        {.key = sink, .timeout_ms = 1000, .limit = {.rate = 10, .has_counter = has_counter}});
  });
}

// Older kernels accept the message and change nothing: only its effect tells. An element near its
// end is added again, and looked for when it would be gone.
bool has_timeout_update(NetlinkSocket& socket) {
  const auto put = [&](std::uint64_t expiration_ms) {
    NftBatch batch;
    nft::new_element(batch, probe_table, probe_set, {probe_key(), 60'000, expiration_ms});
    return batch.run(socket) == 0;
  };
  NftBatch create;
  nft::new_table(create, probe_table);
  nft::new_set(create, probe_table, probe_set, {.family = Family::ipv4}, 1, 16);
  if (create.run(socket) != 0) return false;
  bool is_there = false;
  if (put(8) && put(60'000)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    const FlowKey key = probe_key();
    NftBatch get(NftBatch::Kind::plain);
    nft::get_elements(get, probe_table, probe_set, &key, 1);
    is_there = get.run(socket) == 0;
  }
  NftBatch remove;
  nft::delete_table(remove, probe_table);
  return remove.run(socket) == 0 && is_there;
}

} // namespace

std::string describe_features(std::uint32_t features) {
  static constexpr std::pair<Feature, std::string_view> words[] = {
      {table_owner, "owner"},
      {table_persist, "persist"},
      {destroy_element, "destroy-element"},
      {timeout_update, "timeout-update"},
      {native_queue, "native-queue"},
      {compat_queue, "compat-queue"},
      {element_expressions, "element-expressions"},
      {gate, "gate"},
  };
  std::string text;
  for (const auto& [feature, word] : words) {
    if ((features & feature) == 0) continue;
    if (!text.empty()) text += ' ';
    text += word;
  }
  if ((features & gate) == 0) text += text.empty() ? "no-gate" : " no-gate";
  return text;
}

std::uint32_t probe_features(NetlinkSocket& socket) {
  std::uint32_t features = 0;
  const auto note = [&](Feature feature, bool is_there) {
    if (is_there) features |= feature;
  };
  const auto nothing = [](NftBatch&) {};
  note(table_owner, is_accepted(socket, nft::flag_owner, nothing));
  note(table_persist, is_accepted(socket, nft::flag_owner | nft::flag_persist, nothing));
  note(destroy_element, has_destroy_element(socket));
  note(timeout_update, has_timeout_update(socket));
  note(native_queue, has_rule(socket, [](nft::Rule& rule) { rule.queue(0); }));
  note(compat_queue, has_rule(socket, [](nft::Rule& rule) { rule.compat_queue(0); }));
  if (has_limited_element(socket, true))
    features |= element_expressions | gate;
  else
    note(gate, has_limited_element(socket, false));
  return features;
}

} // namespace midcom::pinhole
