// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/agent_process.h"

#include <cerrno>
#include <optional>
#include <sys/random.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "daemon/agent.h"
#include "daemon/channel_codec.h"
#include "daemon/channel_link.h"
#include "daemon/child_process.h"
#include "daemon/control.h"
#include "daemon/control_server.h"
#include "daemon/event_loop.h"
#include "daemon/memory_file.h"
#include "daemon/name_resolver.h"
#include "daemon/opener_links.h"
#include "daemon/role_slice.h"
#include "daemon/role_start.h"
#include "daemon/sandbox.h"
#include "daemon/secret_file.h"
#include "daemon/socket_network.h"
#include "daemon/supervisor_link.h"
#include "daemon/version.h"

namespace midcom {

namespace {

void fill_random(std::uint8_t* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::int64_t seconds_since_epoch() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// All that came with the supervisor's first message.
struct AgentStart {
  Account account;
  FileDescriptor empty_directory;
  AgentSlice slice;
  Secrets secrets;
  TlsMaterial tls;
  std::vector<FileDescriptor> listeners;
  FileDescriptor control; // empty: none
};

AgentStart read_start(Channel::Message message) {
  const auto decoded = decode_control(message.bytes);
  const auto* start = decoded ? std::get_if<control::StartAgent>(&*decoded) : nullptr;
  auto& files = message.descriptors;
  const std::size_t expected =
      start == nullptr ? 0 : descriptors_before_listeners + start->listeners;
  if (expected == 0 || (files.size() != expected && files.size() != expected + 1))
    throw RoleFailure(exit_failure, "the supervisor's first message is malformed");
  auto slice = decode_agent_slice(contents_of(files[1]));
  if (!slice || slice->config.listeners.size() != start->listeners)
    throw RoleFailure(exit_failure, "the configuration slice is malformed");
  std::string secret_bytes = contents_of(files[2]);
  auto secrets = decode_secrets(secret_bytes);
  wipe(secret_bytes);
  if (!secrets) throw RoleFailure(exit_failure, secrets.error());
  AgentStart result{.account = {start->uid, start->gid},
                    .empty_directory = std::move(files[0]),
                    .slice = std::move(*slice),
                    .secrets = *secrets,
                    .tls = {},
                    .listeners = {},
                    .control = {}};
  result.tls = {.certificate_chain = contents_of(files[3]),
                .private_key = contents_of(files[4]),
                .trusted_ca = contents_of(files[5]),
                .client_verify = result.slice.client_verify,
                .minimum_version = result.slice.minimum_tls_version};
  if (files.size() > expected) result.control = std::move(files.back());
  for (std::size_t index = descriptors_before_listeners; index < expected; ++index)
    result.listeners.push_back(std::move(files[index]));
  return result;
}

// Hands every event of network, channel and clock to the agent and keeps the one timer at the
// agent's next deadline: once per turn of the loop, behind all that was ready in it.
class AgentProcess final : public NetworkEvents,
                           public MiddleboxPort,
                           public OpenerEvents,
                           public NameEvents {
public:
  AgentProcess(AgentStart& start, FileDescriptor supervisor)
      : config_(std::move(start.slice.config)), secrets_(start.secrets),
        log_(open_role_log(start.slice.log, "agent")),
        network_(make_network(std::move(start.tls), std::move(start.listeners))),
        openers_(loop_, config_.smime.openers, *this,
                 [this](std::size_t opener) { end_opener(opener); }),
        names_(loop_, config_.dns.servers, *this),
        agent_(config_, secrets_, *network_, *this, openers_, names_, *log_, fill_random,
               seconds_since_epoch),
        due_(loop_, [this] { on_due(); }), rearm_(loop_, [this] { rearm(); }),
        supervisor_(
            loop_, std::move(supervisor),
            {.on_peer = [this](std::uint8_t peer,
                               FileDescriptor socket) { return on_peer(peer, std::move(socket)); },
             .on_stop = [this] { network_->stop_listening(); }}),
        started_(loop_.now()) {
    if (start.control)
      control_ = std::make_unique<ControlServer>(
          loop_, std::move(start.control), [this](std::string_view line) { return answer(line); });
  }

  void run() {
    supervisor_.send(control::Up{});
    supervisor_.read_ready(); // the channel to the middlebox, before the first call
    rearm();
    loop_.run();
  }
  [[nodiscard]] ExitStatus status() const { return status_; }

  void send(const pinhole::Request& request) override {
    if (middlebox_) middlebox_->gather(encode(request));
  }

  void on_flow_open(const FlowInfo& flow, sip::TimePoint now) override {
    agent_.on_flow_open(flow, now);
    rearm_.schedule();
  }
  void on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint now) override {
    agent_.on_flow_closed(flow, reason, now);
    rearm_.schedule();
  }
  void on_message(FlowId flow, std::string bytes, sip::TimePoint now) override {
    agent_.on_message(flow, std::move(bytes), now);
    rearm_.schedule();
  }
  void on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                        sip::TimePoint now) override {
    agent_.on_broken_stream(flow, error, std::move(header_block), now);
    rearm_.schedule();
  }

  void on_opener_reply(std::size_t opener, const opener::Reply& reply,
                       sip::TimePoint now) override {
    agent_.on_opener_reply(opener, reply, now);
    rearm_.schedule();
  }
  void on_opener_down(std::size_t opener, sip::TimePoint now) override {
    agent_.on_opener_down(opener, now);
    rearm_.schedule();
  }
  void on_opener_up(std::size_t opener, sip::TimePoint now) override {
    agent_.on_opener_up(opener, now);
    rearm_.schedule();
  }

  void on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
               sip::TimePoint now) override {
    agent_.on_name(question, addresses, now);
    rearm_.schedule();
  }

private:
  std::unique_ptr<SocketNetwork> make_network(TlsMaterial tls,
                                              std::vector<FileDescriptor> listeners) {
    try {
      return std::make_unique<SocketNetwork>(loop_, config_, std::move(tls), std::move(listeners),
                                             *this, *log_);
    } catch (const std::runtime_error& error) {
      throw RoleFailure(exit_config, error.what());
    }
  }

  [[nodiscard]] bool on_peer(std::uint8_t peer, FileDescriptor socket) {
    if (peer > openers_.size()) return false;
    if (peer == 0)
      connect(std::move(socket));
    else
      openers_.connect(peer - 1U, std::move(socket));
    return true;
  }

  void connect(FileDescriptor socket) {
    disconnect();
    middlebox_ = std::make_unique<ChannelLink>(
        loop_, std::move(socket),
        ChannelLink::Callbacks{
            .on_message = [this](const Channel::Message& message) { return on_replies(message); },
            .on_turn_end = {},
            .on_end = [this](ChannelLink::End end) { on_middlebox_end(end); }});
    is_middlebox_up_ = true;
    agent_.on_middlebox_up(loop_.now());
    rearm_.schedule();
  }

  void disconnect() {
    if (!std::exchange(is_middlebox_up_, false)) return;
    agent_.on_middlebox_down(loop_.now());
    rearm_.schedule();
  }

  ChannelLink::Verdict on_replies(const Channel::Message& message) {
    const auto replies = decode_replies(message.bytes);
    if (!replies || !message.descriptors.empty()) return ChannelLink::Verdict::end;
    for (const pinhole::Reply& reply : *replies) agent_.on_middlebox_reply(reply, loop_.now());
    rearm_.schedule();
    return ChannelLink::Verdict::go_on;
  }

  // Closed: the supervisor brings a new one. Anything else is a broken invariant that only a new
  // agent with a new channel heals.
  void on_middlebox_end(ChannelLink::End end) {
    disconnect();
    if (end == ChannelLink::End::closed) return;
    log_->write(Event(Level::error, "channel.end").add("detail", to_string(end)));
    status_ = exit_failure;
    loop_.stop();
  }

  void end_opener(std::size_t opener) {
    log_->write(Event(Level::error, "opener.violation").add("number", opener + 1));
    supervisor_.send(control::OpenerViolation{static_cast<std::uint8_t>(opener + 1)});
  }

  std::string answer(std::string_view line) {
    const auto request = parse_control_request(line);
    if (!request) return control_error("bad-request");
    const auto now = loop_.now();
    const ControlProcess process{
        .version = version,
        .uptime = std::chrono::duration_cast<std::chrono::seconds>(now - started_),
        .pid = static_cast<std::uint64_t>(::getpid()),
        .lost_log_lines = log_->lost()};
    return control_answer(*request, agent_.snapshot(query_of(*request), now), process);
  }

  void on_due() {
    agent_.on_timer(loop_.now());
    rearm();
  }

  void rearm() {
    if (const auto deadline = agent_.next_deadline())
      due_.start_at(*deadline);
    else
      due_.stop();
  }

  const AgentConfig config_;
  const Secrets secrets_;
  const std::unique_ptr<Log> log_;
  EventLoop loop_;
  ExitStatus status_ = exit_ok;
  bool is_middlebox_up_ = false;
  std::unique_ptr<ChannelLink> middlebox_;
  std::unique_ptr<SocketNetwork> network_;
  OpenerLinks openers_;
  NameResolver names_;
  Agent agent_;
  TimerEvent due_;
  DeferredEvent rearm_;
  SupervisorLink supervisor_;
  const sip::TimePoint started_;
  std::unique_ptr<ControlServer> control_;
};

} // namespace

int run_agent() {
  return run_role("agent", [] {
    Channel supervisor{FileDescriptor(channel_fd)};
    AgentStart start = read_start(await_start(supervisor, "midcomd-agent"));
    AgentProcess process(start, std::move(supervisor).take());
    try {
      drop_privileges(start.empty_directory.get(), start.account, Kept::nothing);
      start.empty_directory.reset();
      prove_dropped(start.account, Kept::nothing);
    } catch (const std::runtime_error& error) {
      throw RoleFailure(exit_no_permission, error.what());
    }
    process.run();
    return process.status();
  });
}

} // namespace midcom
