// SPDX-License-Identifier: GPL-3.0-or-later
// TLS on real loopback sockets: who may connect, whose name is believed, and framing above it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/socket_address.h"
#include "daemon/tls_session.h"
#include "network_lab.h"

namespace midcom {
namespace {

using namespace std::chrono_literals;
using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using Verify = TlsConfig::Verify;

const Authority& authority() {
  static const Authority made("Test CA");
  return made;
}

Certificate issue(CertificateSpec spec) {
  return authority().issue(spec);
}

Certificate gateway() {
  return issue({.common_name = "gw", .alternatives = "DNS:gw.example", .key_usage = {}});
}
Certificate trunk() {
  return issue({.common_name = "trunk",
                .alternatives = "URI:sip:trunk.example,DNS:host.trunk.example",
                .key_usage = "serverAuth"});
}

class TlsTest : public testing::Test {
protected:
  void start(const TlsMaterial& for_server, const TlsMaterial& for_client) {
    client.has_tls_listener = !for_client.certificate_chain.empty();
    server.start(for_server);
    client.start(for_client);
  }
  void start(Verify verify, const Certificate& own) {
    start(material_of(gateway(), authority().pem(), verify), material_of(own, authority().pem()));
  }
  FlowId connect(const std::string& name = "gw.example") {
    return client.network->connect(server.target(Transport::tls, name));
  }
  bool until(const std::function<bool()>& is_so) { return run_until(loop, is_so); }
  // The client's flow is closed for this reason and neither agent ever saw it open.
  void expect_refused(std::string_view reason) {
    ASSERT_TRUE(until([&] { return !client.recorder.closed.empty(); }));
    EXPECT_EQ(client.recorder.closed[0].reason, reason);
    EXPECT_TRUE(client.recorder.opened.empty());
    ASSERT_TRUE(until([&] { return server.recorder.count("tls.fail") == 1; }));
    EXPECT_TRUE(server.recorder.opened.empty());
    EXPECT_TRUE(server.recorder.closed.empty()) << "never told of, never closed";
    EXPECT_EQ(client.recorder.find("tls.fail")->field("reason"), reason);
    EXPECT_EQ(server.recorder.find("tls.fail")->field("src"), "127.0.0.1");
  }
  // The server refuses; a TLS 1.3 client learns it after its own handshake is done.
  void expect_server_refuses(std::string_view reason) {
    ASSERT_TRUE(until(
        [&] { return server.recorder.count("tls.fail") == 1 && !client.recorder.closed.empty(); }));
    EXPECT_EQ(server.recorder.find("tls.fail")->field("reason"), reason);
    EXPECT_TRUE(server.recorder.opened.empty());
    EXPECT_TRUE(server.recorder.received.empty());
  }

  EventLoop loop;
  Node server{loop}, client{loop};
};

TEST_F(TlsTest, MutualHandshakeGivesBothIdentities) {
  start(Verify::optional, trunk());
  const FlowId flow = connect("GW.Example");
  client.network->send(flow, bytes_of(options_request(1)));
  ASSERT_TRUE(until([&] { return !server.recorder.received.empty(); }));
  EXPECT_THAT(server.recorder.opened[0].identities, ElementsAre("trunk.example"));
  EXPECT_EQ(server.recorder.opened[0].tls_version, "1.3");
  EXPECT_TRUE(server.recorder.opened[0].is_inbound);
  EXPECT_THAT(client.recorder.opened[0].identities, ElementsAre("gw.example"));
  EXPECT_EQ(client.recorder.opened[0].id, flow);
  EXPECT_EQ(server.recorder.received[0].bytes, options_request(1));
  EXPECT_EQ(server.recorder.find("tls.accept")->field("identity"), "trunk.example");
  server.network->send(server.recorder.received[0].flow, bytes_of("SIP/2.0 200 OK\r\n"
                                                                  "Content-Length: 0\r\n\r\n"));
  ASSERT_TRUE(until([&] { return !client.recorder.received.empty(); }));
  client.network->close(flow);
  ASSERT_TRUE(
      until([&] { return !server.recorder.closed.empty() && !client.recorder.closed.empty(); }));
  EXPECT_EQ(server.recorder.closed[0].reason, "closed");
  EXPECT_EQ(client.recorder.closed[0].reason, "closed");
}

TEST_F(TlsTest, NoClientCertificateIsNoIdentity) {
  start(Verify::optional, {});
  client.network->send(connect(), bytes_of(options_request(1)));
  ASSERT_TRUE(until([&] { return !server.recorder.received.empty(); }));
  EXPECT_THAT(server.recorder.opened[0].identities, IsEmpty());
}

TEST_F(TlsTest, RequiredClientCertificateIsMissing) {
  start(Verify::required, {});
  client.network->send(connect(), bytes_of(options_request(1)));
  expect_server_refuses("tls-certificate");
}

TEST_F(TlsTest, UnaskedCertificateIsNoIdentity) {
  start(Verify::none, trunk());
  client.network->send(connect(), bytes_of(options_request(1)));
  ASSERT_TRUE(until([&] { return !server.recorder.received.empty(); }));
  EXPECT_THAT(server.recorder.opened[0].identities, IsEmpty());
}

TEST_F(TlsTest, OptionalButInvalidClientCertificateFails) {
  const Authority other("Other CA");
  start(Verify::optional,
        other.issue({.common_name = "x", .alternatives = "DNS:trunk.example", .key_usage = {}}));
  client.network->send(connect(), bytes_of(options_request(1)));
  expect_server_refuses("tls-certificate");
}

TEST_F(TlsTest, ClientCertificateForAnotherUseFails) {
  start(
      Verify::optional,
      issue({.common_name = "x", .alternatives = "DNS:trunk.example", .key_usage = "codeSigning"}));
  client.network->send(connect(), bytes_of(options_request(1)));
  expect_server_refuses("tls-certificate");
}

TEST_F(TlsTest, SipDomainKeyUsageIsEnough) {
  start(Verify::required, issue({.common_name = "x",
                                 .alternatives = "DNS:trunk.example",
                                 .key_usage = "1.3.6.1.5.5.7.3.20"}));
  static_cast<void>(connect());
  ASSERT_TRUE(until([&] { return !server.recorder.opened.empty(); }));
  EXPECT_THAT(server.recorder.opened[0].identities, ElementsAre("trunk.example"));
}

TEST_F(TlsTest, WrongServerName) {
  start(Verify::optional, trunk());
  client.network->send(connect("other.example"), bytes_of(options_request(1)));
  expect_refused("tls-name");
}

TEST_F(TlsTest, SuffixIsAnotherName) {
  start(Verify::optional, trunk());
  static_cast<void>(connect("sub.gw.example"));
  expect_refused("tls-name");
}

TEST_F(TlsTest, WildcardIsNotBelieved) {
  start(material_of(
            issue({.common_name = "gw.example", .alternatives = "DNS:*.example", .key_usage = {}}),
            authority().pem()),
        material_of(trunk(), authority().pem()));
  static_cast<void>(connect());
  expect_refused("tls-name");
}

TEST_F(TlsTest, ExpiredServerCertificate) {
  start(material_of(issue({.common_name = "gw",
                           .alternatives = "DNS:gw.example",
                           .key_usage = {},
                           .valid_from = -7200,
                           .valid_until = -3600}),
                    authority().pem()),
        material_of(trunk(), authority().pem()));
  static_cast<void>(connect());
  expect_refused("tls-certificate");
  EXPECT_EQ(client.recorder.find("tls.fail")->field("detail"), "certificate has expired");
}

TEST_F(TlsTest, UntrustedServer) {
  const Authority other("Other CA");
  start(material_of(gateway(), authority().pem()), material_of(trunk(), other.pem()));
  static_cast<void>(connect());
  expect_refused("tls-certificate");
}

TEST_F(TlsTest, NoNameNoConnection) {
  start(Verify::optional, trunk());
  const FlowId flow = connect("");
  EXPECT_TRUE(client.recorder.closed.empty());
  ASSERT_TRUE(until([&] { return !client.recorder.closed.empty(); }));
  EXPECT_EQ(client.recorder.closed[0].flow, flow);
  EXPECT_EQ(client.recorder.closed[0].reason, "tls-name");
}

TEST_F(TlsTest, MinimumVersionIsKept) {
  auto strict = material_of(gateway(), authority().pem());
  strict.minimum_version = 0x0304;
  start(strict, material_of(trunk(), authority().pem()));
  static_cast<void>(connect());
  ASSERT_TRUE(until([&] { return !server.recorder.opened.empty(); }));
  EXPECT_EQ(server.recorder.opened[0].tls_version, "1.3");
}

TEST_F(TlsTest, PlainTextOnTheTlsPortIsRefused) {
  start(Verify::optional, trunk());
  Wire wire(Transport::tcp, server.address(Transport::tls));
  wire.write("POST / HTTP/1.1\r\nHost: gw\r\n\r\n");
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  ASSERT_TRUE(until([&] { return server.recorder.count("tls.fail") == 1; }));
  EXPECT_EQ(server.recorder.find("tls.fail")->field("reason"), "tls-handshake");
  EXPECT_TRUE(server.recorder.order.empty());
}

TEST_F(TlsTest, HandshakeHasADeadline) {
  server.config.timeouts.handshake = 0s;
  start(Verify::optional, trunk());
  Wire wire(Transport::tcp, server.address(Transport::tls));
  ASSERT_TRUE(until([&] { return wire.is_closed(); }));
  EXPECT_EQ(server.network->flow_count(), 0U);
  EXPECT_EQ(server.recorder.count("tls.fail"), 1U);
}

TEST_F(TlsTest, SilentServerMeetsTheClientsDeadline) {
  client.config.timeouts.handshake = 0s;
  start(Verify::optional, trunk());
  const FileDescriptor silent(::socket(AF_INET, SOCK_STREAM, 0)); // listens, never accepts
  ASSERT_EQ(::listen(silent.get(), 1), 0);
  Target target = server.target(Transport::tls, "gw.example");
  target.address = *local_endpoint(silent.get());
  target.address.address = *sip::IpAddress::parse("127.0.0.1");
  static_cast<void>(client.network->connect(target));
  ASSERT_TRUE(until([&] { return !client.recorder.closed.empty(); }));
  EXPECT_EQ(client.recorder.closed[0].reason, "tls-handshake");
  EXPECT_TRUE(client.recorder.opened.empty());
}

TEST_F(TlsTest, LongAndManyMessagesInBothDirections) {
  start(Verify::optional, trunk());
  server.recorder.when_received = [&](const Recorder::Received& message) {
    server.network->send(message.flow, bytes_of(message.bytes));
  };
  const FlowId flow = connect();
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i) {
    sent.push_back(options_request(i, i % 7 == 0 ? 40000 : static_cast<std::size_t>(i)));
    client.network->send(flow, bytes_of(sent.back()));
    if (i % 20 == 0) run_for(loop, 1ms);
  }
  ASSERT_TRUE(until([&] { return client.recorder.received.size() == sent.size(); }));
  for (std::size_t i = 0; i < sent.size(); ++i)
    ASSERT_TRUE(client.recorder.received[i].bytes == sent[i]) << i;
}

TEST_F(TlsTest, WriteOverflow) {
  server.config.limits.write_buffer = 200000;
  start(Verify::optional, trunk());
  static_cast<void>(connect());
  ASSERT_TRUE(until([&] { return !server.recorder.opened.empty(); }));
  const auto bytes = bytes_of(std::string(150000, 'x'));
  server.network->send(server.recorder.opened[0].id, bytes);
  EXPECT_TRUE(server.recorder.closed.empty());
  for (int i = 0; i < 500; ++i) server.network->send(server.recorder.opened[0].id, bytes);
  ASSERT_TRUE(until([&] { return !server.recorder.closed.empty(); }));
  EXPECT_EQ(server.recorder.closed[0].reason, "write-overflow");
}

TEST_F(TlsTest, IdleIsClosedInOrder) {
  server.config.timeouts.idle = 0s;
  start(Verify::optional, trunk());
  static_cast<void>(connect());
  ASSERT_TRUE(until([&] { return !client.recorder.closed.empty(); }));
  EXPECT_EQ(client.recorder.closed[0].reason, "closed");
  ASSERT_TRUE(until([&] { return !server.recorder.closed.empty(); }));
  EXPECT_EQ(server.recorder.closed[0].reason, "idle");
}

TEST_F(TlsTest, BadMaterialIsRefusedAtStart) {
  auto material = material_of(gateway(), authority().pem());
  material.private_key = trunk().key_pem();
  EXPECT_THROW(TlsContext{material}, std::runtime_error);
  EXPECT_THROW(TlsContext(material_of(gateway(), "no certificate")), std::runtime_error);
  EXPECT_THROW(TlsContext(material_of(gateway(), "", Verify::required)), std::runtime_error);
  EXPECT_THROW(server.start({}), std::runtime_error) << "a TLS listener without a certificate";
}

// A client whose TLS bytes reach the server one by one, through a socket pair.
class SlowTlsClient {
public:
  SlowTlsClient(EventLoop& loop, const TlsContext& context, const sip::Endpoint& server)
      : loop_(loop), wire_(Transport::tcp, server) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    inner_.reset(ends[0]);
    outer_.reset(ends[1]);
    tls_ = TlsSession::client(context, inner_.get(), "gw.example");
  }
  bool handshake() {
    for (int round = 0; round < 200; ++round) {
      const auto status = tls_->handshake();
      pump();
      if (status == TlsSession::Status::done) return true;
      if (status != TlsSession::Status::want_read) return false;
      const std::string& all = wire_.read();
      tls_->feed(std::string_view(all).substr(fed_));
      tls_->settle();
      fed_ = all.size();
    }
    return false;
  }
  void write(std::string_view bytes) {
    std::size_t size = 0;
    EXPECT_EQ(tls_->write(bytes, size), TlsSession::Status::done);
    EXPECT_EQ(size, bytes.size());
    pump();
  }

private:
  void pump() {
    char byte = 0;
    while (::recv(outer_.get(), &byte, 1, 0) == 1) {
      wire_.write({&byte, 1});
      run_for(loop_, 0ms);
    }
    run_for(loop_, 2ms);
  }

  EventLoop& loop_;
  Wire wire_;
  FileDescriptor inner_, outer_;
  std::unique_ptr<TlsSession> tls_;
  std::size_t fed_ = 0;
};

TEST_F(TlsTest, EveryByteOfItsOwn) {
  start(Verify::optional, trunk());
  const TlsContext context(material_of(trunk(), authority().pem()));
  SlowTlsClient slow(loop, context, server.address(Transport::tls));
  ASSERT_TRUE(slow.handshake());
  slow.write(options_request(1, 10));
  slow.write(options_request(2) + options_request(3));
  ASSERT_TRUE(until([&] { return server.recorder.received.size() == 3; }));
  EXPECT_EQ(server.recorder.received[0].bytes, options_request(1, 10));
  EXPECT_EQ(server.recorder.received[2].bytes, options_request(3));
  EXPECT_THAT(server.recorder.opened[0].identities, ElementsAre("trunk.example"));
}

} // namespace
} // namespace midcom
