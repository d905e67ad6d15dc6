// SPDX-License-Identifier: GPL-3.0-or-later
// Message files against OpenSSL's cms command: it opens and verifies what `midcomctl seal` makes,
// and `midcomctl open` what it makes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/unit/daemon/message_folder.h"

namespace midcom {
namespace {

using namespace test;

const std::string by_alice = " --sign alice.pem --key alice.key";

// What stands behind the first empty line.
std::string body_of(const std::string& text) {
  const std::size_t at = text.find("\r\n\r\n");
  return at == std::string::npos ? "" : text.substr(at + 4);
}

// The entity of part `index`, for a multipart without preamble.
std::string part_of(const std::string& entity, std::size_t index) {
  const std::string body = body_of(entity);
  const std::string delimiter = "\r\n" + body.substr(0, body.find("\r\n"));
  std::size_t at = body.find("\r\n") + 2;
  for (; index > 0; --index) at = body.find(delimiter, at) + delimiter.size() + 2;
  return body.substr(at, body.find(delimiter, at) - at);
}

class OpensslMessages : public testing::Test {
protected:
  void SetUp() override {
    if (!openssl("version")) GTEST_SKIP() << "there is no openssl command";
  }
  // True when `openssl WORDS` succeeds, run in the folder.
  [[nodiscard]] bool openssl(const std::string& words) const {
    const std::string command =
        "cd '" + folder_.folder() + "' && openssl " + words + " >output 2>errors </dev/null";
    // What is run is written here; nothing from outside gets into it.
    return std::system(command.c_str()) == 0; // NOLINT(bugprone-command-processor)
  }
  void seal(const std::string& more) const {
    const auto made = folder_.run("seal plain.sip -o sealed.sip" + by_alice + " " + more);
    ASSERT_EQ(made.status, 0) << made.complaint;
  }
  [[nodiscard]] std::string decrypted(const std::string& der, const std::string& who) const {
    folder_.write("envelope", der);
    EXPECT_TRUE(openssl("cms -decrypt -binary -inform DER -in envelope -out opened -recip " + who +
                        ".pem -inkey " + who + ".key"))
        << folder_.read("errors");
    return folder_.read("opened");
  }
  [[nodiscard]] std::string verified(const std::string& der, const std::string& more = "") const {
    folder_.write("signed", der);
    EXPECT_TRUE(openssl("cms -verify -binary -inform DER -in signed -out content -CAfile ca.pem "
                        "-purpose any " +
                        more))
        << folder_.read("errors");
    return folder_.read("content");
  }

  MessageFolder folder_;
};

TEST_F(OpensslMessages, ItOpensAndVerifiesOurs) {
  // No --reference: before 3.0.22 it can't read the attribute (RFC 5083 has it under another tag).
  seal("--for bob.pem --middle gw.pem");
  for (const char* who : {"bob", "gw", "alice"}) {
    const std::string content =
        verified(body_of(decrypted(body_of(folder_.read("sealed.sip")), who)));
    EXPECT_EQ(body_of(part_of(content, 1)), whole_description) << who;
    EXPECT_TRUE(body_of(part_of(content, 0)).contains("Call-ID: 1@192.0.2.10\r\n"));
  }
  EXPECT_FALSE(openssl("cms -decrypt -inform DER -in envelope -out opened -recip carol.pem -inkey "
                       "carol.key"));
}

TEST_F(OpensslMessages, ItOpensBothPartsAndTheirDetachedSignatures) {
  seal("--for bob.pem --middle gw.pem --private --detached");
  const std::string sealed = folder_.read("sealed.sip");
  for (std::size_t index = 0; index < 2; ++index) {
    const std::string opened = decrypted(body_of(part_of(sealed, index)), "bob");
    const std::string content = part_of(opened, 0);
    folder_.write("what", content);
    EXPECT_EQ(verified(body_of(part_of(opened, 1)), "-content what"), content);
    EXPECT_EQ(body_of(part_of(content, 1)), index == 0 ? shared_part : whole_description);
  }
}

TEST_F(OpensslMessages, WeOpenIts) {
  const std::string date = "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n";
  const std::string identity =
      "Content-Type: message/sipfrag\r\nContent-Disposition: aib; handling=optional\r\n\r\n"
      "From: <sip:alice@example.com>\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1@192.0.2.10\r\n"
      "CSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.10>\r\n" +
      date;
  folder_.write("inner", "Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\n" + identity +
                             "\r\n--b0\r\nContent-Type: application/sdp\r\n\r\n" +
                             whole_description + "\r\n--b0--\r\n");
  ASSERT_TRUE(openssl("cms -sign -binary -nodetach -in inner -outform DER -signer alice.pem -inkey "
                      "alice.key -out signed"))
      << folder_.read("errors");
  const std::string cms = "Content-Type: application/pkcs7-mime; smime-type=";
  folder_.write("middle", cms + "signed-data\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                              folder_.read("signed"));
  ASSERT_TRUE(openssl("cms -encrypt -binary -aes-128-gcm -in middle -outform DER -out sealed "
                      "-recip bob.pem -keyopt ecdh_kdf_md:sha256 "
                      "-recip gw.pem -keyopt ecdh_kdf_md:sha256"))
      << folder_.read("errors");
  std::string message = folder_.read("plain.sip");
  message.erase(message.find("Content-Type"));
  folder_.write("its.sip",
                message + date + cms + "authEnveloped-data\r\n\r\n" + folder_.read("sealed"));
  for (const std::string who : {"bob", "gw"}) {
    const auto opened = folder_.run("open its.sip --ca ca.pem --crl crl.pem --key " + who +
                                    ".key --certificate " + who + ".pem");
    EXPECT_EQ(opened.status, 0) << opened.complaint;
    EXPECT_EQ(opened.output, whole_description);
  }
}

} // namespace
} // namespace midcom
