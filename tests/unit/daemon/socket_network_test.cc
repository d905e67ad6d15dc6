// SPDX-License-Identifier: GPL-3.0-or-later
// TCP and UDP on real loopback sockets.
#include "daemon/socket_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "network_lab.h"

namespace midcom {
namespace {

using namespace std::chrono_literals;
using namespace test;
using testing::ElementsAre;

class SocketNetworkTest : public testing::Test {
protected:
  SocketNetworkTest() {
    static const Authority authority("Test CA");
    static const Certificate certificate =
        authority.issue({.common_name = "gw.example", .alternatives = {}, .key_usage = {}});
    material = material_of(certificate, authority.pem());
  }
  void start() { node.start(material); }
  bool until(const std::function<bool()>& is_so) { return run_until(loop, is_so); }
  Wire tcp() { return Wire(Transport::tcp, node.address(Transport::tcp)); }
  Wire udp() { return Wire(Transport::udp, node.address(Transport::udp)); }

  EventLoop loop;
  Node node{loop};
  Recorder& seen = node.recorder;
  TlsMaterial material;
};

TEST_F(SocketNetworkTest, TcpMessageAndAnswer) {
  start();
  seen.when_received = [&](const Recorder::Received& message) {
    node.network->send(message.flow, bytes_of("SIP/2.0 200 OK\r\n\r\n"));
  };
  Wire wire = tcp();
  wire.write(options_request(1));
  ASSERT_TRUE(until([&] { return !wire.read().empty(); }));
  EXPECT_EQ(wire.read(), "SIP/2.0 200 OK\r\n\r\n");
  ASSERT_EQ(seen.opened.size(), 1U);
  EXPECT_TRUE(seen.opened[0].is_inbound);
  EXPECT_EQ(seen.opened[0].listener, 1U);
  EXPECT_EQ(seen.opened[0].transport, Transport::tcp);
  EXPECT_EQ(seen.opened[0].local, node.address(Transport::tcp));
  EXPECT_THAT(seen.order, ElementsAre("open", "message"));
  EXPECT_EQ(seen.received[0].bytes, options_request(1));
  wire.close();
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed[0].reason, "closed");
  EXPECT_EQ(node.network->flow_count(), 0U);
}

TEST_F(SocketNetworkTest, ByteByByteIsTheSameMessage) {
  start();
  Wire wire = tcp();
  const std::string message = options_request(1, 20);
  for (const char c : message) {
    wire.write({&c, 1});
    run_for(loop, 0ms);
  }
  ASSERT_TRUE(until([&] { return !seen.received.empty(); }));
  EXPECT_EQ(seen.received[0].bytes, message);
}

TEST_F(SocketNetworkTest, PipelinedMessagesBeyondOneTurn) {
  start();
  Wire wire = tcp();
  std::string all;
  for (int i = 0; i < 200; ++i) all += options_request(i);
  wire.write(all);
  wire.close(); // what came whole is still delivered
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  ASSERT_EQ(seen.received.size(), 200U);
  EXPECT_EQ(seen.received[199].bytes, options_request(199));
  EXPECT_EQ(seen.order.back(), "closed");
}

TEST_F(SocketNetworkTest, KeepAliveIsAnsweredByOneCrlf) {
  start();
  Wire wire = tcp();
  wire.write("\r\n\r\n");
  ASSERT_TRUE(until([&] { return !wire.read().empty(); }));
  run_for(loop, 5ms);
  EXPECT_EQ(wire.read(), "\r\n");
  EXPECT_TRUE(seen.received.empty());
}

TEST_F(SocketNetworkTest, HttpPostIsClosedWithoutAnAnswer) {
  start();
  Wire wire = tcp();
  wire.write("POST / HTTP/1.1\r\nHost: gw\r\n\r\n" + options_request(1));
  ASSERT_TRUE(until([&] { return wire.is_closed() && !seen.closed.empty(); }));
  EXPECT_EQ(wire.read(), "");
  EXPECT_TRUE(seen.received.empty());
  ASSERT_EQ(seen.broken.size(), 1U);
  EXPECT_EQ(seen.broken[0].error, sip::Error::not_sip);
  EXPECT_EQ(seen.closed[0].reason, "not-sip");
}

TEST_F(SocketNetworkTest, AnswerToABrokenStreamGoesOutBeforeTheEnd) {
  start();
  seen.when_broken = [&](const Recorder::Broken& broken) {
    node.network->send(broken.flow, bytes_of("SIP/2.0 400 Bad Request\r\n\r\n"));
  };
  Wire wire = tcp();
  std::string message = options_request(1);
  message.replace(message.find("Length: 0"), 9, "Length: x");
  wire.write(message + std::string(50000, 'y'));
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  EXPECT_EQ(wire.read(), "SIP/2.0 400 Bad Request\r\n\r\n");
  wire.close();
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed[0].reason, "parse-error");
  EXPECT_TRUE(seen.received.empty());
}

TEST_F(SocketNetworkTest, IdleConnectionsAreClosed) {
  node.config.timeouts.idle = 100ms;
  start();
  Wire wire = tcp();
  wire.write("OPTIONS sip:b.example SIP/2.0\r\n"); // never finished
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  wire.close();
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed[0].reason, "idle");
}

TEST_F(SocketNetworkTest, ConnectionsPerAddressAreLimited) {
  node.config.limits.connections_per_address = 2;
  start();
  Wire first = tcp(), second = tcp();
  ASSERT_TRUE(until([&] { return seen.opened.size() == 2; }));
  Wire third = tcp(), fourth = tcp();
  ASSERT_TRUE(until([&] { return third.is_closed() && fourth.is_closed(); }));
  EXPECT_EQ(seen.opened.size(), 2U);
  EXPECT_EQ(seen.count("limit.hit"), 1U) << "once per source and interval";
  EXPECT_EQ(seen.find("limit.hit")->field("src"), "127.0.0.1");
  EXPECT_EQ(seen.find("limit.hit")->field("limit"), "connections-per-address");
  first.close();
  ASSERT_TRUE(until([&] { return seen.closed.size() == 1; }));
  Wire fifth = tcp();
  EXPECT_TRUE(until([&] { return seen.opened.size() == 3; }));
}

TEST_F(SocketNetworkTest, ConnectionsAreLimited) {
  node.config.limits.connections = 1;
  start();
  Wire first = tcp(), second = tcp();
  ASSERT_TRUE(until([&] { return second.is_closed(); }));
  EXPECT_EQ(seen.find("limit.hit")->field("limit"), "connections");
}

TEST_F(SocketNetworkTest, WritesOfOneTurnLeaveTogether) {
  start();
  Node peer(loop);
  peer.start(material);
  const FlowId flow = node.network->connect(peer.target(Transport::tcp));
  for (int i = 0; i < 100; ++i) node.network->send(flow, bytes_of(options_request(i)));
  EXPECT_TRUE(seen.opened.empty()) << "never from inside connect()";
  ASSERT_TRUE(until([&] { return peer.recorder.received.size() == 100; }));
  ASSERT_EQ(seen.opened.size(), 1U);
  EXPECT_EQ(seen.opened[0].id, flow);
  EXPECT_FALSE(seen.opened[0].is_inbound);
  EXPECT_EQ(seen.opened[0].listener, 1U);
  EXPECT_EQ(peer.recorder.received[99].bytes, options_request(99));
}

TEST_F(SocketNetworkTest, WriteOverflowClosesTheFlow) {
  node.config.limits.write_buffer = 100000;
  start();
  Wire wire = tcp();
  ASSERT_TRUE(until([&] { return !seen.opened.empty(); }));
  const auto bytes = bytes_of(std::string(50000, 'x'));
  for (int i = 0; i < 1000 && seen.closed.empty(); ++i) {
    node.network->send(seen.opened[0].id, bytes);
    if (i % 50 == 0) run_for(loop, 0ms);
  }
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed[0].reason, "write-overflow");
}

TEST_F(SocketNetworkTest, SlowReaderGetsEveryByte) {
  node.config.limits.write_buffer = 64000000;
  start();
  Wire wire = tcp();
  ASSERT_TRUE(until([&] { return !seen.opened.empty(); }));
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string part = std::to_string(i) + std::string(10000, 'z');
    expected += part;
    node.network->send(seen.opened[0].id, bytes_of(std::move(part)));
  }
  node.network->close(seen.opened[0].id);
  run_for(loop, 20ms); // the socket is full by now
  EXPECT_TRUE(seen.closed.empty());
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  EXPECT_TRUE(wire.read() == expected);
  wire.close();
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
}

TEST_F(SocketNetworkTest, ConnectRefusedIsToldLater) {
  start();
  Target target = node.target(Transport::tcp);
  target.address.port = 1;
  const FlowId flow = node.network->connect(target);
  node.network->send(flow, bytes_of("x"));
  EXPECT_TRUE(seen.closed.empty());
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed[0].flow, flow);
  EXPECT_EQ(seen.closed[0].reason, "connect-failed");
  EXPECT_TRUE(seen.opened.empty());
}

TEST_F(SocketNetworkTest, CloseIsToldFromTheLoopAndOnlyOnce) {
  start();
  bool is_inside = false;
  seen.when_received = [&](const Recorder::Received& message) {
    is_inside = true;
    node.network->send(message.flow, bytes_of("last"));
    node.network->close(message.flow);
    node.network->close(message.flow);
    node.network->send(message.flow, bytes_of("too late"));
    is_inside = false;
  };
  seen.when_closed = [&](const Recorder::Closed& closed) {
    EXPECT_FALSE(is_inside);
    node.network->send(closed.flow, bytes_of("x"));
    node.network->close(closed.flow);
  };
  Wire wire = tcp();
  wire.write(options_request(1) + options_request(2));
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  EXPECT_EQ(wire.read(), "last");
  wire.close();
  ASSERT_TRUE(until([&] { return !seen.closed.empty(); }));
  run_for(loop, 5ms);
  EXPECT_EQ(seen.closed.size(), 1U);
  EXPECT_EQ(seen.received.size(), 1U) << "nothing is delivered after close()";
  node.network->send(12345, bytes_of("unknown flow"));
  node.network->close(12345);
}

TEST_F(SocketNetworkTest, StopListeningKeepsFlows) {
  start();
  Wire wire = tcp();
  ASSERT_TRUE(until([&] { return !seen.opened.empty(); }));
  node.network->stop_listening();
  EXPECT_THROW(tcp(), std::runtime_error);
  wire.write(options_request(1));
  EXPECT_TRUE(until([&] { return !seen.received.empty(); }));
}

TEST_F(SocketNetworkTest, AcceptPausesWithoutDescriptors) {
  start();
  Wire wire = tcp(); // waits in the backlog
  rlimit old{};
  getrlimit(RLIMIT_NOFILE, &old);
  rlimit none = old;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  run_for(loop, 20ms);
  setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_TRUE(seen.opened.empty());
  EXPECT_EQ(seen.count("limit.hit"), 1U);
  EXPECT_TRUE(until([&] { return seen.opened.size() == 1; }));
}

TEST_F(SocketNetworkTest, UdpFlowPerAddressPair) {
  start();
  seen.when_received = [&](const Recorder::Received& message) {
    node.network->send(message.flow, bytes_of("answer"));
  };
  Wire wire = udp(), other = udp();
  wire.write(options_request(1));
  wire.write("\r\n" + options_request(2));
  other.write(options_request(3));
  ASSERT_TRUE(until([&] { return seen.received.size() == 3; }));
  ASSERT_EQ(seen.opened.size(), 2U);
  EXPECT_EQ(seen.opened[0].transport, Transport::udp);
  EXPECT_EQ(seen.opened[0].listener, 0U);
  EXPECT_EQ(seen.received[0].flow, seen.received[1].flow);
  EXPECT_NE(seen.received[0].flow, seen.received[2].flow);
  EXPECT_EQ(seen.received[1].bytes, options_request(2));
  ASSERT_TRUE(until([&] { return wire.read() == "answeranswer" && other.read() == "answer"; }));
}

TEST_F(SocketNetworkTest, UdpNoiseOpensNoFlow) {
  node.config.limits.message.message = 2000;
  start();
  Wire wire = udp();
  wire.write(std::string("\0\1\0\0\x21\x12\xa4\x42", 8));
  wire.write("\r\n");
  wire.write("");
  wire.write(options_request(1, 3000));
  wire.write("\r\n\r\n");
  ASSERT_TRUE(until([&] { return !wire.read().empty(); }));
  EXPECT_EQ(wire.read(), "\r\n");
  EXPECT_TRUE(seen.opened.empty());
  EXPECT_TRUE(seen.received.empty());
  EXPECT_EQ(seen.count("limit.hit"), 1U);
}

TEST_F(SocketNetworkTest, UdpTableIsBoundedAndIdleFlowsGo) {
  node.config.limits.connections = 2;
  node.config.timeouts.idle = 100ms;
  start();
  Wire first = udp(), second = udp(), third = udp();
  for (Wire* wire : {&first, &second, &first, &third}) {
    wire->write(options_request(1));
    run_for(loop, 2ms);
  }
  ASSERT_TRUE(until([&] { return seen.opened.size() == 3; }));
  ASSERT_EQ(seen.closed.size(), 1U);
  EXPECT_EQ(seen.closed[0].flow, seen.opened[1].id) << "the least recently used";
  ASSERT_TRUE(until([&] { return seen.closed.size() == 3; }));
  EXPECT_EQ(seen.closed[2].reason, "idle");
}

TEST_F(SocketNetworkTest, UdpConnectOpensAtOnceFromTheLoop) {
  start();
  Node peer(loop);
  peer.start(material);
  const FlowId flow = node.network->connect(peer.target(Transport::udp));
  node.network->send(flow, bytes_of(options_request(7)));
  EXPECT_TRUE(seen.opened.empty());
  peer.recorder.when_received = [&](const Recorder::Received& message) {
    peer.network->send(message.flow, bytes_of("SIP/2.0 200 OK\r\n\r\n"));
  };
  ASSERT_TRUE(until([&] { return !seen.received.empty(); }));
  ASSERT_EQ(seen.opened.size(), 1U);
  EXPECT_EQ(seen.opened[0].id, flow);
  EXPECT_EQ(seen.received[0].flow, flow);
  node.network->close(flow);
  EXPECT_TRUE(seen.closed.empty());
  EXPECT_TRUE(until([&] { return seen.closed.size() == 1; }));
}

} // namespace
} // namespace midcom
