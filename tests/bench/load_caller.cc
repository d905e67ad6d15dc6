// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/load_caller.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace midcom::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t reads_per_wake = 16;
// Each call under way has two even ports of its own: RTP and RTCP.
constexpr std::size_t first_port = 10000, port_pairs = 24000;

std::string offer(const std::string& host, std::size_t port) {
  const std::string family = host.find(':') == std::string::npos ? "IP4 " : "IP6 ";
  return "v=0\r\no=- 1 1 IN " + family + host + "\r\ns=-\r\nc=IN " + family + host +
         "\r\nt=0 0\r\nm=audio " + std::to_string(port) +
         " UDP/TLS/RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
         "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=setup:actpass\r\n"
         "a=fingerprint:SHA-256 "
         "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:1A:2B:3C:4D:5E:6F:70:81:92:"
         "A3:B4:C5\r\na=sendrecv\r\n";
}

// "SLOT-SERIAL-RUN@host"
bool read_call_id(std::string_view text, std::size_t& slot, std::uint64_t& serial) {
  const char* const end = text.end();
  const auto first = std::from_chars(text.begin(), end, slot);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return false;
  return std::from_chars(first.ptr + 1, end, serial).ec == std::errc{};
}

} // namespace

Caller::Caller(const CallerOptions& options)
    : options_(options), context_(options.files, TlsContext::Side::client),
      calls_(options.in_flight), run_(std::to_string(Clock::now().time_since_epoch().count())) {
  for (std::size_t slot = options_.in_flight; slot > 0; --slot) free_.push_back(slot - 1);
}

void Caller::connect_lines() {
  for (std::size_t i = 0; i < options_.lines; ++i) {
    const int fd = connected_socket(options_.proxy, options_.own);
    lines_.push_back(std::make_unique<Line>(context_, TlsContext::Side::client, fd));
    poller_.add(fd, i);
  }
}

Report Caller::run() {
  connect_lines();
  began_ = last_ended_ = Clock::now();
  while (may_start(Clock::now()) || under_way_ > 0) {
    const auto now = Clock::now();
    start_due(now);
    send_deferred(now);
    flush_lines();
    for (const epoll_event& event : poller_.wait(next_wait(Clock::now())))
      on_readable(static_cast<std::size_t>(event.data.u64));
  }
  report_.took = last_ended_ - began_;
  return std::move(report_);
}

bool Caller::may_start(Clock::time_point now) const {
  const bool has_lines = std::ranges::all_of(lines_, [](const auto& line) { return !!line; });
  return has_lines && report_.started < options_.count && now - began_ < options_.duration;
}

void Caller::start_due(Clock::time_point now) {
  if (options_.rate <= 0) {
    while (!free_.empty() && may_start(now)) start_call(now);
    return;
  }
  while (may_start(now)) {
    const std::chrono::duration<double> offset(static_cast<double>(report_.started) /
                                               options_.rate);
    const auto due = began_ + std::chrono::duration_cast<Clock::duration>(offset);
    if (due > now) return;
    if (free_.empty()) {
      ++report_.started;
      report_.failed("overload");
      continue;
    }
    start_call(due);
  }
}

void Caller::start_call(Clock::time_point due) {
  const std::size_t slot = free_.back();
  free_.pop_back();
  Call& call = calls_[slot];
  call = Call{};
  call.serial = ++serial_;
  call.state = State::inviting;
  call.due = due;
  ++report_.started;
  report_.in_flight_peak = std::max(report_.in_flight_peak, ++under_way_);
  deadlines_.push_back({due + options_.timeout + options_.hold, slot, call.serial});
  send_invite(slot);
}

void Caller::send_deferred(Clock::time_point now) {
  for (; !holds_.empty() && holds_.front().at <= now; holds_.pop_front()) {
    const Deadline& hold = holds_.front();
    if (calls_[hold.slot].serial == hold.serial && calls_[hold.slot].state == State::answered)
      send_bye(hold.slot, now);
  }
  for (; !deadlines_.empty() && deadlines_.front().at <= now; deadlines_.pop_front()) {
    const Deadline& deadline = deadlines_.front();
    const Call& call = calls_[deadline.slot];
    if (call.serial == deadline.serial && call.state != State::idle)
      fail_call(deadline.slot, call.state == State::inviting ? "timeout" : "bye-timeout");
  }
}

std::chrono::nanoseconds Caller::next_wait(Clock::time_point now) const {
  auto until = now + 100ms;
  if (!holds_.empty()) until = std::min(until, holds_.front().at);
  if (options_.rate > 0 && may_start(now)) {
    const std::chrono::duration<double> offset(static_cast<double>(report_.started) /
                                               options_.rate);
    until = std::min(until, began_ + std::chrono::duration_cast<Clock::duration>(offset));
  }
  return std::max<std::chrono::nanoseconds>(until - now, 0ns);
}

void Caller::on_readable(std::size_t index) {
  for (std::size_t i = 0; i < reads_per_wake && lines_[index] != nullptr; ++i) {
    Line& line = *lines_[index];
    const Line::Read outcome = line.read();
    const auto now = Clock::now();
    while (const auto message = line.stream().next()) on_message(*message, now);
    line.stream().forget();
    if (outcome == Line::Read::closed || line.stream().is_broken())
      lose_line(index);
    else if (outcome == Line::Read::nothing)
      return;
  }
}

void Caller::lose_line(std::size_t index) {
  poller_.remove(lines_[index]->fd());
  lines_[index].reset();
  for (std::size_t slot = index; slot < calls_.size(); slot += lines_.size())
    if (calls_[slot].state != State::idle) fail_call(slot, "connection");
}

void Caller::on_message(std::string_view message, Clock::time_point now) {
  const auto text = read_text(message);
  std::size_t slot = 0;
  std::uint64_t serial = 0;
  const bool is_response = text && text->status != 0 && read_call_id(text->call_id, slot, serial) &&
                           slot < calls_.size() &&
                           text->call_id.find(run_) != std::string_view::npos;
  if (!is_response) {
    report_.failed("malformed");
    return;
  }
  if (calls_[slot].serial != serial || text->status < 200) return;
  if (text->method == "INVITE")
    on_invite_final(slot, *text, now);
  else if (text->method == "BYE")
    on_bye_final(slot, *text, now);
}

void Caller::on_invite_final(std::size_t slot, const Text& text, Clock::time_point now) {
  Call& call = calls_[slot];
  if (call.state != State::inviting) // a 200 again: its ACK again (RFC 3261 13.2.2.4)
    return call.state == State::idle ? void() : send_ack(slot);
  if (text.status != 200) {
    send_refusal_ack(slot, text.to);
    fail_call(slot, std::to_string(text.status));
    return;
  }
  report_.invite.add(now - call.due);
  call.to = text.to;
  call.target = uri_of(text.contact);
  for (auto value = text.record_routes.rbegin(); value != text.record_routes.rend(); ++value)
    call.routes.append("Route: ").append(*value).append("\r\n");
  call.state = State::answered;
  send_ack(slot);
  if (options_.hold == 0ms)
    send_bye(slot, now);
  else
    holds_.push_back({now + options_.hold, slot, call.serial});
}

void Caller::on_bye_final(std::size_t slot, const Text& text, Clock::time_point now) {
  Call& call = calls_[slot];
  if (call.state != State::leaving) return;
  if (text.status != 200) {
    fail_call(slot, "bye-" + std::to_string(text.status));
    return;
  }
  report_.bye.add(now - call.bye_sent);
  ++report_.completed;
  last_ended_ = now;
  end_call(slot);
}

void Caller::end_call(std::size_t slot) {
  calls_[slot].state = State::idle;
  free_.push_back(slot);
  --under_way_;
}

void Caller::fail_call(std::size_t slot, const std::string& why) {
  report_.failed(why);
  last_ended_ = Clock::now();
  end_call(slot);
}

void Caller::flush_lines() {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i] == nullptr || !lines_[i]->has_unsent()) continue;
    if (!lines_[i]->flush())
      lose_line(i);
    else
      poller_.want_write(lines_[i]->fd(), i, lines_[i]->has_unsent());
  }
}

std::string Caller::head(std::size_t slot, std::string_view method, std::string_view uri) const {
  const Call& call = calls_[slot];
  const std::string serial = std::to_string(call.serial);
  const Endpoint self{options_.own, 5061};
  std::string text;
  text.reserve(1536);
  text.append(method).append(" ").append(uri).append(" SIP/2.0\r\n");
  text.append("Via: SIP/2.0/TLS ").append(self.text());
  text.append(";branch=z9hG4bK").append(run_).append(serial).append(method == "INVITE" ? "i" : "");
  text.append(method == "ACK" ? "a" : method == "BYE" ? "b" : "");
  text.append("\r\nMax-Forwards: 70\r\nFrom: <sip:load@caller.example>;tag=").append(serial);
  text.append("\r\nTo: ");
  text.append(call.to.empty() ? "<" + options_.target + ">" : call.to);
  text.append("\r\nCall-ID: ").append(std::to_string(slot)).append("-").append(serial);
  text.append("-").append(run_).append("@").append(options_.own);
  text.append("\r\nCSeq: ").append(method == "BYE" ? "2 " : "1 ").append(method).append("\r\n");
  return text;
}

void Caller::queue(std::size_t slot, const std::string& message) {
  if (Line* line = line_of(slot)) line->queue(message);
}

void Caller::send_invite(std::size_t slot) {
  if (line_of(slot) == nullptr) {
    fail_call(slot, "connection");
    return;
  }
  const std::size_t pair = calls_[slot].serial % port_pairs;
  const std::string body = offer(options_.own, first_port + 2 * pair);
  std::string text = head(slot, "INVITE", options_.target);
  text.append("Contact: <sip:load@").append(Endpoint{options_.own, 5061}.text());
  text.append(";transport=tls>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
              "Content-Type: application/sdp\r\nContent-Length: ");
  queue(slot, text + std::to_string(body.size()) + "\r\n\r\n" + body);
}

void Caller::send_ack(std::size_t slot) {
  const Call& call = calls_[slot];
  queue(slot, head(slot, "ACK", call.target) + call.routes + "Content-Length: 0\r\n\r\n");
}

// RFC 3261 17.1.1.3: of the INVITE's transaction, so with its branch.
void Caller::send_refusal_ack(std::size_t slot, std::string_view to) {
  calls_[slot].to = to;
  std::string text = head(slot, "ACK", options_.target);
  const std::size_t branch_end = text.find("a\r\nMax-Forwards");
  if (branch_end == std::string::npos) throw std::logic_error("a head without a branch");
  text[branch_end] = 'i';
  queue(slot, text + "Content-Length: 0\r\n\r\n");
}

void Caller::send_bye(std::size_t slot, Clock::time_point now) {
  Call& call = calls_[slot];
  call.state = State::leaving;
  call.bye_sent = now;
  queue(slot, head(slot, "BYE", call.target) + call.routes + "Content-Length: 0\r\n\r\n");
}

} // namespace midcom::bench
