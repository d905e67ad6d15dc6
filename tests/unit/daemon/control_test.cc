// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/control.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/control_server.h"
#include "daemon/control_socket.h"
#include "daemon/control_tables.h"
#include "daemon/json.h"

namespace midcom {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Kind = ControlRequest::Kind;
namespace fs = std::filesystem;

TEST(ControlRequest, WordsOfTheProtocol) {
  EXPECT_EQ(parse_control_request("status")->kind, Kind::status);
  EXPECT_EQ(parse_control_request("flows\r")->kind, Kind::flows);
  EXPECT_EQ(parse_control_request("peers")->kind, Kind::peers);
  EXPECT_EQ(parse_control_request("calls")->kind, Kind::calls);
  EXPECT_EQ(parse_control_request("pinholes")->kind, Kind::pinholes);
  EXPECT_EQ(parse_control_request("call a@b"), (ControlRequest{Kind::call, "a@b"}));
  EXPECT_EQ(parse_control_request("call " + std::string(1018, 'x'))->call_id.size(), 1018U);
}

TEST(ControlRequest, AnythingElseIsNone) {
  for (const std::string line : {"", " status", "status ", "Status", "status x", "call", "call ",
                                 "call a b", "call \x1b[2J", "call a\x7f", "stop", "call\ta"})
    EXPECT_FALSE(parse_control_request(line)) << line;
  EXPECT_FALSE(parse_control_request(std::string("status\0", 7)));
  EXPECT_FALSE(parse_control_request("call " + std::string(1019, 'x')));
}

TEST(Json, WriterAndReaderAgree) {
  JsonWriter writer;
  writer.begin_object().member("a", std::uint64_t{7}).member("b", true).key("c").begin_array();
  writer.value("x\x1b\"\\\n\xe2\x80\xae").value(std::uint64_t{18446744073709551615U}).end();
  writer.key("d").begin_object().end().end();
  const std::string text = std::move(writer).finish();
  EXPECT_EQ(text, "{\"a\":7,\"b\":true,\"c\":[\"x\\u001b\\\"\\\\\\n\\u202e\","
                  "18446744073709551615],\"d\":{}}");
  const auto value = parse_json(text);
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["a"].number(), 7U);
  EXPECT_TRUE((*value)["b"].is_true());
  EXPECT_EQ((*value)["c"].elements()[0].text(), "x\x1b\"\\\n\xe2\x80\xae");
  EXPECT_EQ((*value)["none"]["at all"].text(), "");
}

TEST(Json, ReaderIsStrict) {
  EXPECT_EQ(parse_json(" [ ] ")->elements().size(), 0U);
  EXPECT_EQ(parse_json("\"\\ud83d\\ude00\"")->text(), "\xf0\x9f\x98\x80");
  for (const std::string text : {"",
                                 "{",
                                 "[1,]",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{a:1}",
                                 "01",
                                 "-1",
                                 "1.5",
                                 "1e3",
                                 "tru",
                                 "[1 2]",
                                 "\"a",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\ud83d\"",
                                 "\"\\ude00\"",
                                 "\"\n\"",
                                 "1 1",
                                 "18446744073709551616"})
    EXPECT_FALSE(parse_json(text)) << text;
  EXPECT_TRUE(parse_json(std::string(16, '[') + std::string(16, ']')));
  EXPECT_FALSE(parse_json(std::string(17, '[') + std::string(17, ']')));
  EXPECT_FALSE(parse_json(std::string(100000, '[')));
}

pinhole::Endpoint media(const char* address, std::uint16_t port) {
  return {*pinhole::Address::parse(address), port};
}

AgentSnapshot one_call() {
  AgentSnapshot snapshot;
  snapshot.status = {true, "owner persist", 1, 2, 3, 4, 5, 6, true, {7, 8, 9, 10, 11, 12}};
  snapshot.status.commits.add(std::chrono::microseconds(12));
  snapshot.total = 1;
  AgentSnapshot::Leg leg{"tag\x1b[31m", "core", true, false, {}, {}};
  leg.sinks.push_back({0, 1, 6, media("2001:db8::1", 5002), false, 0});
  leg.rules.push_back(
      {0, 1, 17, media("192.0.2.1", 4000), media("2001:db8::1", 5000), true, false});
  snapshot.calls.push_back({"id@host", "phones", true, false, std::chrono::seconds(75), {leg}});
  return snapshot;
}

TEST(ControlAnswer, Status) {
  const std::string answer = control_answer(
      {Kind::status}, one_call(),
      {.version = "1.2", .uptime = std::chrono::hours(3), .pid = 9, .lost_log_lines = 8});
  EXPECT_EQ(answer,
            "{\"version\":\"1.2\",\"uptime_s\":10800,\"pid\":9,\"config_generation\":1,"
            "\"log_lost\":8,\"middlebox\":{\"up\":true,\"features\":\"owner persist\","
            "\"adopted_groups\":1,\"adopted_elements\":2},\"gate\":{\"up\":true,\"queued\":7,"
            "\"admitted\":8,\"parked\":9,"
            "\"released\":10,\"dropped\":11,\"overrun\":12},\"counts\":{\"flows\":3,\"calls\":4,"
            "\"transactions\":5,\"rules\":6},\"commits\":{\"count\":1,\"p50_us\":12,"
            "\"p99_us\":12,\"longest_us\":12}}\n");
  EXPECT_THAT(control_table(Kind::status, *parse_json(answer)), HasSubstr("uptime         3h0m\n"));
  EXPECT_THAT(
      control_table(Kind::status, *parse_json(answer)),
      HasSubstr("gate           up, queued 7, admitted 8, parked 9, released 10, dropped 11, "
                "overrun 12\n"));
  EXPECT_THAT(control_table(Kind::status, *parse_json(answer)),
              HasSubstr("commits        1, 12 us (p50), 12 us (p99), 12 us (longest)\n"));
}

TEST(ControlAnswer, CallsAndPinholes) {
  const std::string answer = control_answer({Kind::call, "id@host"}, one_call(), {});
  EXPECT_EQ(answer,
            "{\"total\":1,\"calls\":[{\"call\":\"id@host\",\"from_peer\":\"phones\","
            "\"state\":\"answered\",\"taken_up\":false,\"age_s\":75,\"legs\":[{"
            "\"tag\":\"tag\\u001b[31m\",\"peer\":\"core\",\"state\":\"answered\",\"rules\":["
            "{\"stream\":0,\"component\":\"rtp\",\"protocol\":\"udp\","
            "\"a\":\"192.0.2.1:4000\",\"b\":\"[2001:db8::1]:5000\","
            "\"direction\":\"a-to-b\"}],"
            "\"sinks\":[{\"stream\":0,\"component\":\"rtp\",\"protocol\":\"tcp\","
            "\"of\":\"callee\",\"at\":\"[2001:db8::1]:5002\"}]}]}]}\n");
  const std::string table = control_table(Kind::call, *parse_json(answer));
  EXPECT_THAT(table, HasSubstr("id@host  phones  core  answered  1m15s  1\n"));
  EXPECT_THAT(table, HasSubstr("192.0.2.1:4000  ->  [2001:db8::1]:5000\n"));
  EXPECT_THAT(table, HasSubstr("?               ->  [2001:db8::1]:5002\n"));
  EXPECT_THAT(table, HasSubstr("tag\\u001b[31m"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  const std::string holes = control_answer({Kind::pinholes}, one_call(), {});
  EXPECT_THAT(holes, HasSubstr("{\"total\":6,\"pinholes\":[{\"call\":\"id@host\",\"stream\":0,"));
  EXPECT_THAT(control_table(Kind::pinholes, *parse_json(holes)), HasSubstr("... 5 more\n"));
  EXPECT_EQ(control_answer({Kind::call, "x"}, {}, {}), control_error("not-found"));
}

TEST(ControlAnswer, FlowsAndPeersWithHostileText) {
  AgentSnapshot snapshot;
  snapshot.total = 1;
  AgentSnapshot::Flow flow;
  flow.info.identities = {"evil\r\n\x9b", "b"};
  flow.peer = "core";
  flow.registered = {"sip:a\xff@x"};
  snapshot.flows.push_back(flow);
  snapshot.peers.push_back({"core", "out", true, Target{}, "up", 2});
  for (const Kind kind : {Kind::flows, Kind::peers}) {
    const std::string answer = control_answer({kind}, snapshot, {});
    EXPECT_EQ(answer.find('\n'), answer.size() - 1);
    ASSERT_TRUE(parse_json(answer)) << answer;
    for (const char c : answer + control_table(kind, *parse_json(answer)))
      EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << answer;
  }
}

class Control : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/midcom-control-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path() const { return (folder_ / "socket").string(); }
  FileDescriptor connect() const {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      socket.reset();
    return socket;
  }
  static void send(const FileDescriptor& socket, const std::string& text) {
    (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  static std::string rest(const FileDescriptor& socket) { // what is there already
    std::string text;
    char part[4096];
    for (ssize_t size = 0; (size = ::recv(socket.get(), part, sizeof part, MSG_DONTWAIT)) > 0;)
      text.append(part, static_cast<std::size_t>(size));
    return text;
  }
  static bool is_closed(const FileDescriptor& socket) {
    char octet = 0;
    return ::recv(socket.get(), &octet, 1, MSG_DONTWAIT) == 0;
  }
  void run(std::chrono::milliseconds time) {
    TimerEvent stop(loop_, [this] { loop_.stop(); });
    stop.start_at(loop_.now() + time);
    loop_.run();
  }
  ControlSocket bind() {
    auto socket = ControlSocket::bind(path(), ::getegid());
    EXPECT_TRUE(socket) << socket.error();
    return std::move(*socket);
  }
  ControlServer::Answer echo() {
    return [this](std::string_view line) {
      ++asked_;
      return std::string(line) + "\n";
    };
  }

  fs::path folder_;
  EventLoop loop_;
  int asked_ = 0;
};

using namespace std::chrono_literals;

TEST_F(Control, SocketHasItsModeAndGoesWithItsOwner) {
  {
    const ControlSocket socket = bind();
    struct stat status{};
    ASSERT_EQ(::lstat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0660U);
    EXPECT_TRUE(connect());
    const auto second = ControlSocket::bind(path(), ::getegid());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error(), HasSubstr("another process listens there"));
    EXPECT_TRUE(fs::exists(path()));
  }
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(Control, GroupIsTheAgents) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto socket = ControlSocket::bind(path(), 65534);
  ASSERT_TRUE(socket);
  struct stat status{};
  ASSERT_EQ(::lstat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_gid, 65534U);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(::getegid(), 0U);
}

TEST_F(Control, StaleSocketIsReplacedAndNothingElse) {
  {
    ControlSocket old = bind();
    fs::rename(path(), folder_ / "stale"); // so that it isn't removed
  }
  fs::rename(folder_ / "stale", path());
  EXPECT_FALSE(connect());
  {
    EXPECT_TRUE(bind());
  }
  fs::create_directory(path());
  EXPECT_FALSE(ControlSocket::bind(path(), ::getegid()));
  EXPECT_TRUE(fs::is_directory(path()));
  EXPECT_FALSE(ControlSocket::bind(folder_ / "none" / "socket", ::getegid()));
}

TEST_F(Control, AnswersOneLineAndCloses) {
  const ControlSocket socket = bind();
  ControlServer server(loop_, FileDescriptor(::dup(socket.get())), echo());
  const FileDescriptor whole = connect(), parts = connect();
  send(whole, "one\ntwo\n");
  send(parts, "th");
  run(20ms);
  EXPECT_EQ(rest(whole), "one\n");
  EXPECT_TRUE(is_closed(whole));
  send(parts, "ree\n");
  run(20ms);
  EXPECT_EQ(rest(parts), "three\n");
  EXPECT_EQ(asked_, 2);
}

TEST_F(Control, ALongLineIsRefusedUnread) {
  const ControlSocket socket = bind();
  ControlServer server(loop_, FileDescriptor(::dup(socket.get())), echo());
  const FileDescriptor longest = connect(), endless = connect();
  send(longest, std::string(1023, 'x') + "\n");
  send(endless, std::string(5000, 'x'));
  run(20ms);
  EXPECT_EQ(rest(longest).size(), 1024U);
  EXPECT_EQ(rest(endless), control_error("bad-request"));
  EXPECT_EQ(asked_, 1);
}

TEST_F(Control, SilentClientsKeepOthersOutOnlyUntilTheirDeadline) {
  const ControlSocket socket = bind();
  ControlServer server(loop_, FileDescriptor(::dup(socket.get())), echo(), 60ms);
  std::vector<FileDescriptor> silent;
  for (std::size_t i = 0; i < max_control_clients; ++i) silent.push_back(connect());
  run(10ms);
  const FileDescriptor late = connect();
  send(late, "x\n");
  run(10ms);
  EXPECT_EQ(rest(late), "");
  run(120ms);
  EXPECT_EQ(rest(late), "x\n");
  for (const FileDescriptor& one : silent) EXPECT_TRUE(is_closed(one));
}

TEST_F(Control, AReaderThatStallsIsCutOff) {
  const ControlSocket socket = bind();
  ControlServer server(
      loop_, FileDescriptor(::dup(socket.get())),
      [](std::string_view) { return std::string(8 << 20, 'x') + "\n"; }, 60ms);
  const FileDescriptor client = connect();
  send(client, "x\n");
  run(150ms);
  EXPECT_LT(rest(client).size(), std::size_t{8} << 20);
  EXPECT_TRUE(is_closed(client));
  const FileDescriptor gone = connect();
  send(gone, "x\n");
  run(5ms);
  ::shutdown(gone.get(), SHUT_RDWR);
  run(20ms);
}

} // namespace
} // namespace midcom
