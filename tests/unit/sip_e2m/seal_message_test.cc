// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/seal_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip/e2m/inspection.h"
#include "sip/inspect_body.h"
#include "tests/unit/sip_e2m/sealed_call.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;
using Outcome = SeenEnvelope::Outcome;

std::string refusal(const SealOrder& order) {
  const auto sealed = seal_message(order);
  return sealed ? "sealed" : std::string(to_string(sealed.error()));
}

TEST(SealMessage, SharedWithAMiddleByItsLabel) {
  const Call& call = sample_call();
  const std::string text = sealed(call.order());
  EXPECT_FALSE(text.contains("192.0.2.10 ") || text.contains("inline:"));
  const auto message = Message::parse(text, Framing::stream, {});
  ASSERT_TRUE(message);
  const std::vector<std::string> names{"gw.example.com"};
  const auto labels = labels_for(**message, names);
  ASSERT_TRUE(labels);
  ASSERT_EQ(labels->size(), 1U);
  const auto root = parse_mime_body(**message, {});
  ASSERT_TRUE(root);
  EXPECT_EQ(labels->front().inspect.content_ids, std::vector{std::string(root->content_id)});
  EXPECT_EQ((*message)->first(HeaderName::date)->value, "Fri, 15 Jan 2027 08:00:00 GMT");

  for (const DecryptionKey* key : {&call.gateway, &call.bob, &call.alice}) {
    const Inspection seen = inspected(text, {key, 1});
    EXPECT_EQ(seen.verdict, Verdict::good);
    ASSERT_NE(innermost(seen.root), nullptr);
    EXPECT_EQ(innermost(seen.root)->content, keyed_description);
  }
  const Inspection seen = inspected(text, {&call.carol, 1});
  EXPECT_EQ(seen.verdict, Verdict::refused);
  EXPECT_EQ(seen.root.envelope->outcome, Outcome::not_ours);
}

TEST(SealMessage, ThePrivatePartIsForTheFarUserAgentAlone) {
  const Call& call = sample_call();
  SealOrder order = call.order();
  order.has_private_part = true;
  const std::string text = sealed(order);
  const Inspection middle = inspected(text, {&call.gateway, 1});
  EXPECT_EQ(middle.verdict, Verdict::good);
  EXPECT_EQ(innermost(middle.root)->content, shared_description);
  const Inspection sender = inspected(text, {&call.alice, 1});
  EXPECT_EQ(innermost(sender.root)->content, shared_description);
  const Inspection far = inspected(text, {&call.bob, 1});
  EXPECT_EQ(far.pairing, Pairing::same);
  EXPECT_EQ(innermost(far.root)->content, keyed_description);
  EXPECT_TRUE(innermost(far.root)->is_verified);
}

TEST(SealMessage, DetachedWithoutEnvelopeAndInAResponse) {
  const Call& call = sample_call();
  SealOrder order = call.order();
  order.is_detached = true;
  EXPECT_TRUE(inspected(sealed(order), {&call.bob, 1}).root.parts.front().signature->is_detached);

  order.recipients = order.middles = {};
  const Inspection clear = inspected(sealed(order), {});
  EXPECT_EQ(clear.root.type, "multipart/signed");
  EXPECT_EQ(clear.verdict, Verdict::good);

  const auto answer = plain_response();
  const SealOrder answered{.message = *answer,
                           .signer = call.bob.certificate,
                           .key = call.bob.key,
                           .recipients = {&call.alice.certificate, 1},
                           .now = now};
  const Inspection seen = inspected(sealed(answered), {&call.alice, 1});
  EXPECT_EQ(seen.verdict, Verdict::good);
  EXPECT_EQ(seen.root.parts.front().signature->binding, Binding::this_message);
}

TEST(SealMessage, OffersTheKeyOfTheSharedPartAlone) {
  const Call& call = sample_call();
  SealOrder order = call.order();
  order.has_private_part = true;
  order.cek_reference = "\x01\xab";
  order.cipher = AesSize::aes256;
  const Inspection seen = inspected(sealed(order), {&call.bob, 1});
  ASSERT_EQ(seen.root.parts.size(), 2U);
  EXPECT_EQ(seen.root.parts[0].envelope->cek_reference, "01AB");
  EXPECT_EQ(seen.root.parts[0].envelope->max_decrypts, offered_decrypts);
  EXPECT_EQ(seen.root.parts[0].envelope->cipher, "AES-256-GCM");
  EXPECT_FALSE(seen.root.parts[1].envelope->cek_reference);
}

TEST(SealMessage, EachRecipientStandsOnce) {
  const Call& call = sample_call();
  SealOrder order = call.order();
  const std::vector<Certificate> both{call.bob.certificate, call.alice.certificate};
  order.recipients = both;
  const Inspection seen = inspected(sealed(order), {});
  EXPECT_EQ(seen.root.envelope->recipients.size(), 3U);
}

TEST(SealMessage, WhatMakesNoSense) {
  const Call& call = sample_call();
  SealOrder order = call.order();
  order.recipients = {};
  EXPECT_EQ(refusal(order), "nobody-to-read");
  order.middles = {};
  order.has_private_part = true;
  EXPECT_EQ(refusal(order), "nobody-to-read");

  SealOrder nameless = call.order();
  nameless.middles = {&call.bob.certificate, 1};
  EXPECT_EQ(refusal(nameless), "nameless-middle");
  SealOrder offering = call.order();
  offering.cek_reference = "";
  EXPECT_EQ(refusal(offering), "bad-reference");
  offering.cek_reference = std::string(129, 'x');
  EXPECT_EQ(refusal(offering), "bad-reference");

  const PrivateKey other = PrivateKey::generate(KeyKind::p256).value();
  const SealOrder wrong{
      .message = *call.message, .signer = call.alice.certificate, .key = other, .now = now};
  EXPECT_EQ(refusal(wrong), "key");
}

TEST(SealMessage, MessagesThatCantBeSealed) {
  const auto word = [](const std::string& fields, const std::string& body, bool has_private) {
    const auto message = plain_message(fields, body);
    SealOrder order{.message = *message,
                    .signer = sample_call().alice.certificate,
                    .key = sample_call().alice.key,
                    .recipients = {&sample_call().bob.certificate, 1},
                    .has_private_part = has_private,
                    .now = now};
    return refusal(order);
  };
  const std::string type = "Content-Type: application/sdp\r\n";
  EXPECT_EQ(word("", "", false), "no-body");
  EXPECT_EQ(word(type + "Content-Encoding: gzip\r\n", "x", false), "encoded-body");
  EXPECT_EQ(word(type, "x", true), "not-a-description");
  EXPECT_EQ(word("Content-Type: text/plain\r\n", keyed_description, true), "not-a-description");
  EXPECT_EQ(word(type, shared_description, true), "no-keys");
  EXPECT_EQ(word(type + "Date: today\r\n", shared_description, false), "headers");
  EXPECT_EQ(word(type + "Contact: <sip:a@192.0.2.11>\r\n", shared_description, false), "headers");
  EXPECT_EQ(word(type, std::string(48000, 'x'), false), "too-large");
}

} // namespace
} // namespace midcom::sip::e2m
