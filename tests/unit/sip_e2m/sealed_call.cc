// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sip_e2m/sealed_call.h"

#include <stdexcept>

#include "sip/sdp_keys.h"

namespace midcom::sip::e2m::test {

const std::string keyed_description =
    "v=0\r\no=alice 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 49170 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    "a=ptime:20\r\n";
const std::string shared_description = without_key_material(keyed_description).value();

namespace {

const std::string dialog = "From: <sip:alice@example.com>;tag=a1\r\n";

DecryptionKey user(const std::string& name) {
  auto made = issued(parties().root, user_order(name, "example.com", valid));
  return {std::move(made.certificate), std::move(made.key)};
}

DecryptionKey gateway() {
  auto made = issued(parties().root, gateway_order("gw.example.com", valid));
  return {std::move(made.certificate), std::move(made.key)};
}

} // namespace

MessagePtr plain_message(const std::string& fields, const std::string& body) {
  return Message::parse("INVITE sip:bob@example.com SIP/2.0\r\n"
                        "Via: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" +
                            dialog +
                            "To: <sip:bob@example.com>\r\nCall-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.10>\r\n" +
                            fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                            body,
                        Framing::stream, {})
      .value();
}

MessagePtr plain_message() {
  return plain_message("Content-Type: application/sdp\r\n", keyed_description);
}

MessagePtr plain_response() {
  return Message::parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\n" +
                            dialog +
                            "To: <sip:bob@example.com>;tag=b1\r\nCall-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 INVITE\r\nContact: <sip:bob@198.51.100.10>\r\n"
                            "Content-Type: application/sdp\r\n\r\n" +
                            shared_description,
                        Framing::datagram, {})
      .value();
}

SealOrder Call::order() const {
  return {.message = *message,
          .signer = alice.certificate,
          .key = alice.key,
          .recipients = {&bob.certificate, 1},
          .middles = {&gateway.certificate, 1},
          .now = now};
}

const Call& sample_call() {
  static const Call call{user("alice"), user("bob"), user("carol"), gateway(), plain_message()};
  return call;
}

std::string sealed(const SealOrder& order) {
  auto text = seal_message(order);
  if (!text) throw std::runtime_error(std::string(to_string(text.error())));
  return *std::move(text);
}

Inspection inspected(std::string_view text, std::span<const DecryptionKey> keys) {
  auto trust = TrustStore::make(
                   {.authorities = {parties().root.certificate().pem()}, .is_crl_required = false})
                   .value();
  return inspect(text, {.keys = keys, .trust = &trust, .now = now});
}

} // namespace midcom::sip::e2m::test
