// SPDX-License-Identifier: GPL-3.0-or-later
// midcomctl seal, open and inspect, as a person calls them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "daemon/json.h"
#include "tests/unit/daemon/message_folder.h"

namespace midcom {
namespace {

using namespace test;

const std::string by_alice = " --sign alice.pem --key alice.key";
const std::string as_gateway = " --key gw.key --certificate gw.pem --ca ca.pem";
const std::string as_bob = " --key bob.key --certificate bob.pem --ca ca.pem";
const std::string as_carol = " --key carol.key --certificate carol.pem --ca ca.pem";

class MessageCommands : public testing::Test {
protected:
  void seal(const std::string& more, const std::string& signer = by_alice) const {
    const auto made = folder_.run("seal plain.sip -o sealed.sip" + signer + " " + more);
    ASSERT_EQ(made.status, 0) << made.complaint;
  }
  std::string line_of(const std::string& text, const std::string& beginning) const {
    const std::size_t at = text.find(beginning);
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
  }
  void alter(const std::string& from, const std::string& to) const {
    std::string text = folder_.read("sealed.sip");
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder_.write("sealed.sip", text.replace(at, from.size(), to));
  }

  MessageFolder folder_;
};

TEST_F(MessageCommands, TheMiddleOpensWhatIsSharedAndTheFarEndItsKeysToo) {
  seal("--for bob.pem --middle gw.pem --private --reference 0A0b");
  EXPECT_FALSE(folder_.read("sealed.sip").contains("m=audio"));
  const auto middle = folder_.run("open sealed.sip" + as_gateway + " --crl crl.pem");
  EXPECT_EQ(middle.status, 0) << middle.complaint;
  EXPECT_EQ(middle.output, shared_part);
  const auto far = folder_.run("open sealed.sip -o content.sdp" + as_bob);
  EXPECT_EQ(far.status, 0) << far.complaint;
  EXPECT_EQ(folder_.read("content.sdp"), whole_description);
  struct stat status{};
  ASSERT_EQ(::stat(folder_.path("content.sdp").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto other = folder_.run("open sealed.sip" + as_carol);
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.output, "");
}

TEST_F(MessageCommands, InspectSaysWhoReadsWhoSignedAndWhatIsBound) {
  seal("--for bob.pem --middle gw.pem --private --reference 0a0b");
  const auto seen = folder_.run("inspect sealed.sip" + as_gateway);
  EXPECT_EQ(seen.status, 0);
  for (const char* part :
       {"INVITE sip:bob@example.com SIP/2.0\nlabel: gw.example.com is to look into ",
        "\n  application/pkcs7-mime (auth-enveloped-data), ", "\n    label: gw.example.com\n",
        "\n    sealed: AES-128-GCM\n    for: issuer CN=example.com certificate authority, serial ",
        " (ECDH P-256, SHA-256 KDF, AES-128 key wrap) = a given key\n",
        "\n    answers may use its key: reference 0A0B, 32 times\n    opened\n",
        "\n      signed by: sip:alice@example.com (CN=alice@example.com)\n",
        "\n      signature: ECDSA, SHA-256: verifies, trusted\n      binds: this message\n",
        "octets, aib, optional\n          | From: sip:alice@example.com\n",
        "\n          | Date: ", "\n          | Proxy-Inspect-Body: gw.example.com;cid=\"",
        "\n          | m=audio 49170 RTP/SAVP 0\n", "\n    closed: not for the keys given\n",
        "\nverdict: good"})
    EXPECT_TRUE(seen.output.contains(part)) << part << "\n" << seen.output;
}

TEST_F(MessageCommands, InspectNeverShowsAKey) {
  seal("--for bob.pem --middle gw.pem --private");
  for (const char* form : {"", " --json"})
    for (const char* file : {"sealed.sip", "plain.sip"}) {
      const auto seen = folder_.run("inspect " + std::string(file) + as_bob + form);
      EXPECT_FALSE(seen.output.contains(srtp_key));
      EXPECT_TRUE(seen.output.contains("a=crypto:[key]"));
    }
}

TEST_F(MessageCommands, InspectHidesCredentialsForAMiddle) {
  const std::string entity =
      "Content-Type: message/sipfrag\r\nContent-Disposition: aib\r\n\r\n"
      "From: <sip:alice@example.com>\r\nCall-ID: 1\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
      "Proxy-Authorization: Digest response=\"e966c932a9242554e42c8ee200cec7f6\"\r\n";
  folder_.write("aib.mime", entity);
  const auto seen = folder_.run("inspect aib.mime");
  EXPECT_TRUE(seen.output.contains("| Proxy-Authorization: [credentials]\n")) << seen.output;
  EXPECT_FALSE(seen.output.contains("e966c932"));
}

TEST_F(MessageCommands, TextOfTheMessageCantSteerATerminal) {
  folder_.write("odd.mime", "Content-Type: text/plain\r\n\r\nhello \x1b[2J\r\n");
  const auto seen = folder_.run("inspect odd.mime");
  EXPECT_TRUE(seen.output.contains("| hello \\u001b[2J\n") || seen.output.contains("| hello \\x1b"))
      << seen.output;
  EXPECT_FALSE(seen.output.contains('\x1b'));
}

TEST_F(MessageCommands, InspectAsJson) {
  seal("--for bob.pem --middle gw.pem --private");
  const auto seen = folder_.run("inspect --json sealed.sip" + as_bob);
  const auto value = parse_json(seen.output);
  ASSERT_TRUE(value) << seen.output;
  EXPECT_EQ((*value)["verdict"].text(), "good");
  EXPECT_EQ((*value)["pairing"].text(), "same-but-keys");
  EXPECT_TRUE((*value)["labels"].elements().at(0)["has_part"].is_true());
  const JsonValue& shared = (*value)["body"]["parts"].elements().at(0);
  EXPECT_EQ(shared["envelope"]["recipients"].elements().size(), 3U);
  EXPECT_EQ(shared["envelope"]["outcome"].text(), "opened");
  EXPECT_EQ(shared["parts"].elements().at(0)["signature"]["binding"].text(), "this-message");
}

TEST_F(MessageCommands, StatusByVerdict) {
  seal("--for bob.pem --middle gw.pem");
  EXPECT_EQ(folder_.run("inspect sealed.sip").status, 0);
  EXPECT_EQ(folder_.run("inspect sealed.sip" + as_bob + as_carol).status, 0)
      << "one of two keys opens";
  EXPECT_EQ(folder_.run("inspect sealed.sip" + as_carol).status, 1);
  EXPECT_EQ(folder_.run("inspect plain.sip --ca ca.pem").status, 1);
  folder_.write("broken.sip", "INVITE sip:b@example.com SIP/2.0\r\nhello\r\n\r\n");
  EXPECT_EQ(folder_.run("inspect broken.sip").status, 65);
  alter("Call-ID: 1@", "Call-ID: 2@");
  const auto seen = folder_.run("inspect sealed.sip" + as_bob);
  EXPECT_EQ(seen.status, 1);
  EXPECT_TRUE(seen.output.contains("binds: another message, by its call-id\n")) << seen.output;
}

TEST_F(MessageCommands, OpenRefusesWhatIsNotVerified) {
  const auto why = [&](const std::string& line) {
    const auto opened = folder_.run("open " + line);
    EXPECT_EQ(opened.status, 1) << line;
    EXPECT_EQ(opened.output, "") << line;
    return opened.complaint;
  };
  EXPECT_TRUE(why("plain.sip --ca ca.pem").contains("not signed"));
  EXPECT_EQ(folder_.run("open plain.sip --unverified").output, whole_description);

  seal("--for bob.pem --no-aib");
  EXPECT_TRUE(why("sealed.sip" + as_bob).contains("no-identity"));
  seal("--for bob.pem", " --sign carol.pem --key carol.key");
  EXPECT_TRUE(why("sealed.sip" + as_bob).contains("other-signer"));
  seal("--for bob.pem");
  alter("CSeq: 1", "CSeq: 2");
  EXPECT_TRUE(why("sealed.sip" + as_bob).contains("other-message (cseq)"));
  EXPECT_EQ(folder_.run("open sealed.sip --key bob.key --certificate bob.pem --unverified").output,
            whole_description);
  seal("");
  alter("49170", "49172");
  EXPECT_TRUE(why("sealed.sip --ca ca.pem").contains("bad-signature"));
}

TEST_F(MessageCommands, ARevokedSignerIsNotBelieved) {
  ASSERT_EQ(folder_
                .run("certs ./again.d --domain example.com --gateway gw.example.com --user alice "
                     "--revoke alice")
                .status,
            0);
  seal("", " --sign again.d/alice.pem --key again.d/alice.key");
  const auto opened = folder_.run("open sealed.sip --ca again.d/ca.pem --crl again.d/crl.pem");
  EXPECT_EQ(opened.status, 1);
  EXPECT_TRUE(opened.complaint.contains("revoked")) << opened.complaint;
  EXPECT_EQ(folder_.run("open sealed.sip --ca again.d/ca.pem").status, 0);
}

TEST_F(MessageCommands, SealSaysWhatIsWrong) {
  const auto complaint = [&](const std::string& line, int status) {
    const auto made = folder_.run("seal " + line);
    EXPECT_EQ(made.status, status) << line << made.complaint;
    EXPECT_EQ(made.output, "");
    return made.complaint;
  };
  EXPECT_TRUE(complaint("plain.sip --middle gw.pem" + by_alice, 1).contains("want --for"));
  EXPECT_TRUE(complaint("plain.sip --sign alice.pem --key bob.key", 1).contains("the key"));
  EXPECT_TRUE(complaint("plain.sip --for bob.pem --middle carol.pem" + by_alice, 1)
                  .contains("no DNS name"));
  std::string text = folder_.read("plain.sip");
  std::erase(text, '\r');
  folder_.write("unix.sip", text);
  EXPECT_TRUE(complaint("unix.sip" + by_alice, 65).contains("CR LF"));
  EXPECT_TRUE(complaint("missing.sip" + by_alice, 2).contains("missing.sip: No such file"));
  EXPECT_TRUE(
      complaint("plain.sip --sign plain.sip --key alice.key", 2).contains("no certificate"));
}

TEST_F(MessageCommands, SealWarnsOfKeysThatAMiddleWillSee) {
  EXPECT_TRUE(folder_.run("seal plain.sip --for bob.pem --middle gw.pem" + by_alice)
                  .complaint.contains("--private hides them"));
  EXPECT_EQ(
      folder_.run("seal plain.sip --for bob.pem --middle gw.pem --private" + by_alice).complaint,
      "");
}

TEST_F(MessageCommands, WrongCommandLines) {
  for (const char* line :
       {"inspect", "inspect plain.sip plain.sip", "inspect plain.sip --crl crl.pem",
        "inspect plain.sip --key gw.key", "inspect plain.sip --no-such",
        "inspect plain.sip --json=1", "inspect plain.sip --key bob.key --certificate gw.pem",
        "open plain.sip", "open plain.sip --ca ca.pem --unverified", "open --unverified",
        "open plain.sip --unverified -o", "seal plain.sip", "seal plain.sip --sign alice.pem",
        "seal plain.sip --sign alice.pem --key alice.key --key bob.key",
        "seal plain.sip --sign alice.pem --key alice.key --for bob.pem --reference 0a0",
        "seal plain.sip --sign alice.pem --key alice.key --for bob.pem --reference zz",
        "seal plain.sip --sign alice.pem --key alice.key --reference 0a0b"}) {
    const auto result = folder_.run(line);
    EXPECT_EQ(result.status, 2) << line;
    EXPECT_EQ(result.output, "") << line;
    EXPECT_NE(result.complaint, "") << line;
  }
}

} // namespace
} // namespace midcom
