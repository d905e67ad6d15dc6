// SPDX-License-Identifier: GPL-3.0-or-later
// What the steps of one message cost on their own: framing, the parse gate, SDP, the edits of
// forwarding, the media plan, the channel's codec.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/agent_config.h"
#include "daemon/channel_codec.h"
#include "daemon/forwarding.h"
#include "daemon/request_route.h"
#include "pinhole/endpoint.h"
#include "pinhole/request.h"
#include "sip/edit_list.h"
#include "sip/message.h"
#include "sip/sdp.h"
#include "sip/stream_framer.h"

namespace {

using namespace midcom;

const std::string description =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 10000 UDP/TLS/RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=setup:actpass\r\n"
    "a=fingerprint:SHA-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:1A:2B:3C:"
    "4D:5E:6F:70:81:92:A3:B4:C5\r\na=sendrecv\r\n";

std::string with_body(std::string head) {
  return head +
         "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(description.size()) +
         "\r\n\r\n" + description;
}

const std::string invite =
    with_body("INVITE sip:load@callee.example SIP/2.0\r\n"
              "Via: SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK408209496451317i\r\n"
              "Max-Forwards: 70\r\nFrom: <sip:load@caller.example>;tag=17\r\n"
              "To: <sip:load@callee.example>\r\nCall-ID: 16-17-4082094964513@192.0.2.10\r\n"
              "CSeq: 1 INVITE\r\nContact: <sip:load@192.0.2.10:5061;transport=tls>\r\n"
              "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n");

const std::string answered =
    with_body("SIP/2.0 200 OK\r\n"
              "Via: SIP/2.0/TLS gw.example.net:5061;branch=z9hG4bKmidcom0123456789abcdef\r\n"
              "Via: SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK408209496451317i\r\n"
              "Record-Route: <sip:0123456789abcdef0123@gw.example.net:5061;transport=tls;lr>\r\n"
              "Record-Route: <sip:fedcba98765432103210@gw.example.net:5061;transport=tls;lr>\r\n"
              "From: <sip:load@caller.example>;tag=17\r\nTo: <sip:load@callee.example>;tag=u17\r\n"
              "Call-ID: 16-17-4082094964513@192.0.2.10\r\nCSeq: 1 INVITE\r\n"
              "Contact: <sip:load@198.51.100.10:5061;transport=tls>\r\n");

sip::MessagePtr parsed(const std::string& text) {
  auto message = sip::Message::parse(text, sip::Framing::stream, {});
  if (!message) std::abort(); // the sample above is wrong
  return *message;
}

void count_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(size) * state.iterations());
}

void parse(benchmark::State& state, const std::string& text) {
  for (auto _ : state)
    benchmark::DoNotOptimize(sip::Message::parse(text, sip::Framing::stream, {}));
  count_bytes(state, text.size());
}
BENCHMARK_CAPTURE(parse, invite, invite);
BENCHMARK_CAPTURE(parse, ok_with_sdp, answered);

void parse_sdp(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(sip::Sdp::parse(description, {}));
  count_bytes(state, description.size());
}
BENCHMARK(parse_sdp);

// Ten messages, in portions of so many octets.
void frame(benchmark::State& state) {
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += invite;
  const auto portion = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    sip::StreamFramer framer{sip::MessageLimits{}};
    int frames = 0;
    for (std::size_t at = 0; at < bytes.size(); at += portion) {
      framer.append(std::string_view(bytes).substr(at, portion));
      for (;;) {
        const auto outcome = framer.next();
        if (!std::holds_alternative<sip::StreamFramer::Frame>(outcome)) break;
        ++frames;
      }
    }
    if (frames != 10) state.SkipWithError("not ten frames");
  }
  count_bytes(state, bytes.size());
}
BENCHMARK(frame)->Arg(64)->Arg(1400)->Arg(16384);

ListenerConfig listener(const char* name, const char* address) {
  return {name, Transport::tls, {*sip::IpAddress::parse(address), 5061}, "gw.example.net"};
}

void forward_request(benchmark::State& state) {
  const auto message = parsed(invite);
  const ListenerConfig in = listener("in", "192.0.2.1"), out = listener("out", "198.51.100.1");
  const RequestRoute route{};
  const ForwardEdits edits{.branch = "z9hG4bKmidcom0123456789abcdef",
                           .in_token = "0123456789abcdef0123",
                           .out_token = "fedcba98765432103210",
                           .in_listener = &in,
                           .out_listener = &out,
                           .source = {*sip::IpAddress::parse("192.0.2.10"), 40000}};
  if (!forwarded_request(*message, route, edits)) state.SkipWithError("not forwarded");
  for (auto _ : state) benchmark::DoNotOptimize(forwarded_request(*message, route, edits));
  count_bytes(state, invite.size());
}
BENCHMARK(forward_request);

void forward_response(benchmark::State& state) {
  const auto message = parsed(answered);
  if (!forwarded_response(*message)) state.SkipWithError("not forwarded");
  for (auto _ : state) benchmark::DoNotOptimize(forwarded_response(*message));
  count_bytes(state, answered.size());
}
BENCHMARK(forward_response);

// An audio stream with RTP and RTCP: what each call asks of the middlebox.
pinhole::Request set_group() {
  const auto internal = pinhole::Address::parse("192.0.2.10");
  const auto external = pinhole::Address::parse("198.51.100.10");
  pinhole::request::SetGroup request{
      .transaction = 7, .group = {}, .participants = {}, .lifetime_s = 43200, .rules = {}};
  for (std::uint8_t component = 1; component <= 2; ++component) {
    const auto port = static_cast<std::uint16_t>(10000 + component);
    request.rules.push_back(
        {.component = component, .a = {*internal, port}, .b = {*external, port}});
  }
  return request;
}

void encode_request(benchmark::State& state) {
  const pinhole::Request request = set_group();
  for (auto _ : state) benchmark::DoNotOptimize(encode(request));
}
BENCHMARK(encode_request);

void decode_request(benchmark::State& state) {
  const std::string bytes = encode(set_group());
  if (!midcom::decode_request(bytes)) state.SkipWithError("not decoded");
  for (auto _ : state) benchmark::DoNotOptimize(midcom::decode_request(bytes));
}
BENCHMARK(decode_request);

} // namespace

BENCHMARK_MAIN();
