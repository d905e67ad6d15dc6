// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/middlebox_process.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/agent_link.h"
#include "daemon/call_filter.h"
#include "daemon/channel_codec.h"
#include "daemon/child_process.h"
#include "daemon/event_loop.h"
#include "daemon/role_slice.h"
#include "daemon/role_start.h"
#include "daemon/sandbox.h"
#include "pinhole/middlebox.h"
#include "pinhole/nft_kernel.h"
#include "pinhole/observe_kernel.h"
#include "pinhole/packet_queue.h"
#include "pinhole/stun.h"

namespace midcom {

namespace {

struct MiddleboxStart {
  Account account;
  FileDescriptor empty_directory;
  LogConfig log;
  pinhole::Policy policy;
};

MiddleboxStart read_start(Channel::Message message) {
  const auto decoded = decode_control(message.bytes);
  const auto* start = decoded ? std::get_if<control::StartMiddlebox>(&*decoded) : nullptr;
  if (start == nullptr || message.descriptors.size() != 2)
    throw RoleFailure(exit_failure, "the supervisor's first message is malformed");
  const auto slice = decode_middlebox_slice(contents_of(message.descriptors[1]));
  if (!slice) throw RoleFailure(exit_failure, "the configuration slice is malformed");
  auto policy = pinhole::decode_policy(slice->policy);
  if (!policy) throw RoleFailure(exit_failure, "the policy is malformed: " + policy.error());
  return {.account = {start->uid, start->gid},
          .empty_directory = std::move(message.descriptors[0]),
          .log = slice->log,
          .policy = std::move(*policy)};
}

ExitStatus status_of(pinhole::KernelError error) {
  return error == pinhole::KernelError::failed ? exit_failure : exit_unavailable;
}

// In mode observe nothing is sent to the kernel but the same requests are judged and answered.
std::unique_ptr<pinhole::Kernel> open_kernel(const pinhole::Policy& policy,
                                             std::ifstream queue_statistics) {
  if (policy.mode == pinhole::Mode::observe) return std::make_unique<pinhole::ObserveKernel>();
  auto kernel = pinhole::NftKernel::open(std::move(queue_statistics));
  if (!kernel)
    throw RoleFailure(status_of(kernel.error()),
                      "netlink: " + std::string(to_string(kernel.error())));
  return std::move(*kernel);
}

// A reply that may be longer than a message is cut to what one holds.
std::vector<pinhole::Reply> messages_of(pinhole::Reply reply) {
  std::vector<pinhole::Reply> parts;
  if (auto* groups = std::get_if<pinhole::reply::Groups>(&reply)) {
    std::size_t done = 0;
    do {
      const std::size_t count = std::min(groups->groups.size() - done, max_groups_in_message);
      const auto first = groups->groups.begin() + static_cast<std::ptrdiff_t>(done);
      done += count;
      parts.emplace_back(
          pinhole::reply::Groups{.transaction = groups->transaction,
                                 .groups = {first, first + static_cast<std::ptrdiff_t>(count)},
                                 .more = groups->more || done < groups->groups.size()});
    } while (done < groups->groups.size());
    return parts;
  }
  const auto cut = [](std::vector<pinhole::Counter>& counters) {
    if (counters.size() > max_counters_in_message) counters.resize(max_counters_in_message);
  };
  if (auto* done = std::get_if<pinhole::reply::Done>(&reply)) cut(done->counters);
  if (auto* event = std::get_if<pinhole::event::GroupEvent>(&reply)) cut(event->counters);
  if (auto* ready = std::get_if<pinhole::event::Ready>(&reply))
    ready->description.resize(std::min(ready->description.size(), max_description));
  parts.push_back(std::move(reply));
  return parts;
}

// One turn of the loop: all requests or first packets that are there, one commit, all replies in
// order.
class MiddleboxProcess {
public:
  MiddleboxProcess(const MiddleboxStart& start, Log& log, FileDescriptor control,
                   std::ifstream queue_statistics)
      : log_(log), kernel_(open_kernel(start.policy, std::move(queue_statistics))),
        middlebox_(start.policy, *kernel_), due_(loop_, [this] { on_due(); }),
        agent_(loop_, log, std::move(control),
               {.on_record = [this](std::string_view record) { return on_requests(record); },
                .on_turn_end = [this] { commit(); },
                .on_connect = [this] { greet(); }}) {}

  // Opens what is to be open.
  void start() {
    const auto started = middlebox_.start(now());
    if (!started)
      throw RoleFailure(status_of(started.error()),
                        "nftables: " + std::string(to_string(started.error())));
    deliver();
    if (middlebox_.event_fd() >= 0) {
      netlink_ = std::make_unique<IoEvent>(loop_, middlebox_.event_fd(),
                                           [this](unsigned) { on_netlink(); });
      netlink_->watch(IoEvent::readable);
    }
    if (middlebox_.packet_fd() >= 0) {
      packets_ = std::make_unique<IoEvent>(loop_, middlebox_.packet_fd(),
                                           [this](unsigned) { on_packets(); });
      packets_->watch(IoEvent::readable);
    }
  }

  void run() { agent_.run(); }

private:
  [[nodiscard]] pinhole::Instant now() const {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {.steady = loop_.now(),
            .wall_s = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::seconds>(wall).count())};
  }

  // What is there now, for a new agent.
  void greet() {
    ready_.adopted_groups = static_cast<std::uint32_t>(middlebox_.group_count());
    ready_.adopted_elements = static_cast<std::uint32_t>(middlebox_.flow_count());
    agent_.gather(encode(pinhole::Reply(ready_)));
  }

  [[nodiscard]] bool on_requests(std::string_view record) {
    auto requests = decode_requests(record);
    if (!requests) return false;
    for (pinhole::Request& request : *requests) middlebox_.on_request(std::move(request));
    return true;
  }

  void commit() {
    middlebox_.commit(now());
    deliver();
  }

  void on_netlink() {
    middlebox_.on_netlink_event(now());
    deliver();
  }

  void on_packets() {
    middlebox_.on_packets(now());
    deliver();
  }

  void on_due() {
    middlebox_.on_timer(now());
    deliver();
  }

  void deliver() {
    for (pinhole::Reply& reply : middlebox_.take_replies()) {
      if (const auto* ready = std::get_if<pinhole::event::Ready>(&reply)) note_ready(*ready);
      for (const pinhole::Reply& part : messages_of(std::move(reply))) agent_.gather(encode(part));
    }
    for (const pinhole::DropLog::Line& line : middlebox_.take_drops())
      log_.write(Event(Level::notice, "gate.drop")
                     .add("src", line.key.source.to_string())
                     .add("dst", line.key.destination.to_string())
                     .add("reason", to_string(line.reason))
                     .add("count", line.count));
    if (const auto deadline = middlebox_.next_deadline())
      due_.start_at(*deadline);
    else
      due_.stop();
  }

  // Kept: every agent gets it as its first message.
  void note_ready(const pinhole::event::Ready& ready) {
    const bool is_again = std::exchange(is_ready_, true);
    ready_ = ready;
    ready_.description.resize(std::min(ready_.description.size(), max_description));
    log_.write(
        Event(is_again ? Level::warning : Level::notice, is_again ? "nft.resynced" : "nft.ready")
            .add("features", ready.description)
            .add("adopted_groups", std::uint64_t{ready.adopted_groups})
            .add("adopted_elements", std::uint64_t{ready.adopted_elements}));
  }

  Log& log_;
  EventLoop loop_;
  std::unique_ptr<pinhole::Kernel> kernel_;
  pinhole::Middlebox middlebox_;
  pinhole::event::Ready ready_{};
  bool is_ready_ = false;
  TimerEvent due_;
  std::unique_ptr<IoEvent> netlink_, packets_;
  AgentLink agent_;
};

void limit_calls(Log& log) {
  const CallFilter filter = filter_of_this_build();
  try {
    limit_system_calls_and_prove(filter);
  } catch (const std::runtime_error& error) {
    throw RoleFailure(exit_no_permission, error.what());
  }
  log.write(Event(filter == CallFilter::strict ? Level::info : Level::warning, "middlebox.sandbox")
                .add("system_calls", to_string(filter)));
}

} // namespace

int run_middlebox() {
  return run_role("middlebox", [] {
    Channel control{FileDescriptor(channel_fd)};
    MiddleboxStart start = read_start(await_start(control, "midcomd-middle"));
    const auto log = open_role_log(start.log, "middlebox");
    // What needs files: the queue's counts, and libcrypto's configuration.
    std::ifstream queue_statistics = pinhole::open_queue_statistics();
    pinhole::load_stun_digests();
    try {
      drop_privileges(start.empty_directory.get(), start.account, Kept::net_admin);
      start.empty_directory.reset();
      prove_dropped(start.account, Kept::net_admin);
    } catch (const std::runtime_error& error) {
      throw RoleFailure(exit_no_permission, error.what());
    }
    // The kernel asks for the capability of who opened a netlink socket and of who sends: all of
    // them are opened here, after the drop.
    MiddleboxProcess process(start, *log, std::move(control).take(), std::move(queue_statistics));
    process.start();
    limit_calls(*log);
    process.run();
    return exit_ok;
  });
}

} // namespace midcom
