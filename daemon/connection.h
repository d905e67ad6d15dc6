// SPDX-License-Identifier: GPL-3.0-or-later
// One stream flow, TCP or TLS: connecting, handshake, framing, the write queue, closing. Nothing
// here erases a Connection: it reports that it is finished and its owner erases it later.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/agent_config.h"
#include "daemon/event_loop.h"
#include "daemon/file_descriptor.h"
#include "daemon/network.h"
#include "daemon/reasons.h"
#include "daemon/tls_session.h"
#include "sip/stream_framer.h"

namespace midcom {

class Connection;

// Only on_open, on_frame and on_broken may reach the agent: they come from the loop, never from
// inside send() or close(). The agent may send and close meanwhile.
class ConnectionOwner {
public:
  virtual ~ConnectionOwner() = default;
  virtual void on_open(Connection& connection) = 0;
  virtual void on_frame(Connection& connection, std::string bytes) = 0;
  virtual void on_broken(Connection& connection, sip::Error error, std::string header_block) = 0;
  virtual void on_dirty(Connection& connection) = 0;    // wants flush() at the end of this turn
  virtual void on_backlog(Connection& connection) = 0;  // wants deliver() in the next turn
  virtual void on_finished(Connection& connection) = 0; // erase it at the end of this turn
};

// Buffers that all connections of one thread share: nothing in them outlives a call.
struct ConnectionBuffers {
  std::array<char, 65536> input;
  std::array<char, 16384> plain;
  std::string gathered;
};

class Connection {
public:
  // `tls` is null for TCP. References must outlive it.
  Connection(EventLoop& loop, const AgentConfig& config, ConnectionBuffers& buffers,
             ConnectionOwner& owner, FlowInfo info, FileDescriptor fd,
             std::unique_ptr<TlsSession> tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Of an accepted socket: TCP is open at once. Of one whose connect() is in progress.
  void start_accepted();
  void start_connecting();

  void send(sip::Bytes bytes);
  void close(Reason reason);  // after what is queued is written
  void finish(Reason reason); // at once
  void flush();
  void deliver(); // framed messages, a bounded number of them

  [[nodiscard]] const FlowInfo& info() const { return info_; }
  [[nodiscard]] bool was_open() const { return was_open_; }
  [[nodiscard]] bool is_finished() const { return state_ == State::finished; }
  [[nodiscard]] Reason reason() const { return reason_; } // why it ends
  [[nodiscard]] std::string_view tls_detail() const;      // why TLS failed, or ""

private:
  enum class State : std::uint8_t {
    connecting,
    handshaking,
    open,
    draining,  // writes what is queued, reads nothing
    lingering, // all is written: waits for the peer's end, lest a reset overtake our last bytes
    finished,
  };
  enum class Progress : std::uint8_t { some, blocked, failed };

  void on_ready(unsigned ready);
  void on_deadline();
  void on_connected();
  void on_readable();
  void continue_handshake(std::string_view bytes);
  void become_open();
  void take(std::string_view bytes);
  void take_tls(std::string_view bytes);
  bool handle(sip::StreamFramer::Outcome outcome); // false when there is no more for now
  void end_of_stream(Reason reason);
  void finish_draining();
  void discard_input();
  [[nodiscard]] Progress write_plain();
  [[nodiscard]] Progress write_tls();
  [[nodiscard]] std::string_view next_record();
  void consume(std::size_t count);
  void update_interest();

  EventLoop& loop_;
  const AgentConfig& config_;
  ConnectionBuffers& buffers_;
  ConnectionOwner& owner_;
  FlowInfo info_;
  FileDescriptor fd_;
  std::unique_ptr<TlsSession> tls_;
  State state_ = State::connecting;
  Reason reason_ = Reason::none;
  bool was_open_ = false;
  bool is_dirty_ = false;      // the owner will call flush()
  bool has_backlog_ = false;   // the owner will call deliver()
  bool is_blocked_ = false;    // the socket takes no more for now
  bool has_ended_ = false;     // nothing more comes from the peer
  bool close_at_open_ = false; // close() came before the connection was there
  Reason end_reason_ = Reason::closed;
  sip::StreamFramer framer_;
  std::deque<sip::Bytes> queue_;
  std::size_t front_written_ = 0; // octets of queue_.front()
  std::size_t queued_ = 0;        // octets
  std::size_t discarded_ = 0;
  sip::TimePoint active_since_; // last whole message or successful write
  IoEvent io_;
  TimerEvent timer_;
};

} // namespace midcom
