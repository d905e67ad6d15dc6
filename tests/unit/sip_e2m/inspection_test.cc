// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/inspection.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sip/e2m/cms_text.h"
#include "sip/mime_writer.h"
#include "sip/sealed_message.h"
#include "tests/unit/sip_e2m/sealed_call.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;
using Outcome = SeenEnvelope::Outcome;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

SealOrder signed_only() {
  SealOrder order = sample_call().order();
  order.recipients = order.middles = {};
  return order;
}

const SeenSignature& signature_of(const Inspection& seen) {
  const SeenPart* part = &seen.root;
  while (!part->signature) part = &part->parts.at(0);
  return *part->signature;
}

MimeEntity cms(const std::string& type, std::string der) {
  return {.content_type = "application/pkcs7-mime; smime-type=" + type,
          .encoding = "binary",
          .body = std::move(der)};
}

// The sample call with another body.
std::string carrying(const MimeEntity& entity) {
  return with_body(*sample_call().message, entity, {}, now).value();
}

MimeEntity signed_by_alice(const std::string& content) {
  const Call& call = sample_call();
  return cms("signed-data", sign({.content = content,
                                  .signer = call.alice.certificate,
                                  .key = call.alice.key,
                                  .time = now})
                                .value());
}

MimeEntity sealed_for_bob(const std::string& content) {
  return cms("auth-enveloped-data",
             std::move(seal_envelope({.content = content,
                                      .recipients = {&sample_call().bob.certificate, 1},
                                      .kek = std::nullopt,
                                      .cek_reference = std::nullopt,
                                      .max_decrypts = std::nullopt})
                           ->der));
}

std::string identity() {
  return write_entity(
      identity_entity(identity_of(*sample_call().message, now, {}).value()).value());
}

std::string description() {
  return write_entity({.content_type = "application/sdp", .body = shared_description});
}

std::string mixed(const std::vector<std::string>& parts, const std::string& boundary = "m0") {
  return write_entity(write_multipart("mixed", parts, boundary).value());
}

Inspection seen_by_bob(const std::string& text) {
  return inspected(text, {&sample_call().bob, 1});
}

TEST(Inspection, APlainMessageAsksNothing) {
  const std::string text(sample_call().message->bytes());
  const Inspection seen = inspect(text, {});
  EXPECT_EQ(seen.start_line, "INVITE sip:bob@example.com SIP/2.0");
  EXPECT_EQ(seen.root.type, "application/sdp");
  EXPECT_EQ(seen.root.content, keyed_description);
  EXPECT_FALSE(seen.root.is_verified);
  EXPECT_EQ(seen.verdict, Verdict::good);
  EXPECT_EQ(inspected(text, {}).verdict, Verdict::refused); // nobody vouches for it
  EXPECT_EQ(inspect(text, {.keys = {&sample_call().bob, 1}}).verdict, Verdict::refused);
}

TEST(Inspection, AnEnvelopeNamesItsRecipients) {
  const Call& call = sample_call();
  const Inspection seen = inspected(sealed(call.order()), {&call.gateway, 1});
  ASSERT_TRUE(seen.root.envelope);
  ASSERT_EQ(seen.root.envelope->recipients.size(), 3U);
  std::size_t given = 0;
  for (const SeenRecipient& recipient : seen.root.envelope->recipients) {
    EXPECT_TRUE(recipient.name.starts_with("issuer CN=root, serial ")) << recipient.name;
    EXPECT_EQ(recipient.method, "ECDH P-256, SHA-256 KDF, AES-128 key wrap");
    given += recipient.has_given_key ? 1 : 0;
  }
  EXPECT_EQ(given, 1U);
  EXPECT_EQ(seen.root.envelope->outcome, Outcome::opened);
  EXPECT_EQ(seen.root.middles, std::vector<std::string>{"gw.example.com"});
  EXPECT_TRUE(seen.labels.at(0).has_part);
  EXPECT_EQ(inspected(sealed(call.order()), {}).root.envelope->outcome, Outcome::not_tried);
}

TEST(Inspection, AKekIsNamedByItsReference) {
  const auto kek = Secret::random(16);
  const MimeEntity entity =
      cms("auth-enveloped-data", std::move(seal_envelope({.content = description(),
                                                          .recipients = {},
                                                          .kek = Kek{kek->clone(), "\x0a\x0b"},
                                                          .cek_reference = std::nullopt,
                                                          .max_decrypts = std::nullopt})
                                               ->der));
  const Inspection seen = seen_by_bob(write_entity(entity));
  EXPECT_EQ(seen.root.envelope->recipients.at(0).name, "KEK 0A0B");
  EXPECT_EQ(seen.root.envelope->outcome, Outcome::not_ours);
}

TEST(Inspection, WhatATamperedEnvelopeSays) {
  std::string text = carrying(sealed_for_bob(description()));
  text.back() = static_cast<char>(text.back() ^ 1); // the last octet of the tag
  const Inspection seen = seen_by_bob(text);
  EXPECT_EQ(seen.root.envelope->outcome, Outcome::undecipherable);
  EXPECT_EQ(seen.verdict, Verdict::refused);
}

TEST(Inspection, ASignatureThatDoesNotVerifyShowsItsContentUnverified) {
  const std::string text = replaced(sealed(signed_only()), "ptime:20", "ptime:30");
  const Inspection seen = inspected(text, {});
  EXPECT_EQ(signature_of(seen).distrust, Distrust::bad_signature);
  EXPECT_TRUE(signature_of(seen).subject.empty());
  ASSERT_NE(innermost(seen.root), nullptr);
  EXPECT_FALSE(innermost(seen.root)->is_verified);
  EXPECT_EQ(seen.verdict, Verdict::refused);
}

TEST(Inspection, WhoSigned) {
  const Inspection seen = inspected(sealed(signed_only()), {});
  EXPECT_EQ(signature_of(seen).uris, std::vector<std::string>{"sip:alice@example.com"});
  EXPECT_EQ(signature_of(seen).method, "ECDSA, SHA-256");
  EXPECT_TRUE(signature_of(seen).is_vouched);
  EXPECT_TRUE(innermost(seen.root)->is_verified);
  const Inspection alone = inspect(sealed(signed_only()), {.now = now});
  EXPECT_FALSE(signature_of(alone).is_vouched || signature_of(alone).distrust);
  EXPECT_FALSE(innermost(alone.root)->is_verified);
  EXPECT_EQ(alone.verdict, Verdict::good);
}

TEST(Inspection, AnUnknownAuthorityVouchesForNobody) {
  auto trust = TrustStore::make({.authorities = {root_named("other").certificate().pem()},
                                 .is_crl_required = false})
                   .value();
  const Inspection seen = inspect(sealed(signed_only()), {.trust = &trust, .now = now});
  EXPECT_EQ(signature_of(seen).distrust, Distrust::untrusted);
  EXPECT_EQ(seen.verdict, Verdict::refused);
}

struct Alteration {
  const char *from, *to;
  AibFault fault;
};

TEST(Inspection, CutAndPastedIntoAnotherMessage) {
  for (const Alteration& one :
       {Alteration{"Call-ID: 1@", "Call-ID: 2@", AibFault::call_id},
        Alteration{"CSeq: 1", "CSeq: 2", AibFault::cseq},
        Alteration{"From: <sip:alice@", "From: <sip:carol@", AibFault::from},
        Alteration{"To: <sip:bob@", "To: <sip:carol@", AibFault::to},
        Alteration{"Contact: <sip:alice@192.0.2.10>", "Contact: <sip:alice@192.0.2.11>",
                   AibFault::contact},
        Alteration{"Date: Fri, 15 Jan 2027 08:00:00", "Date: Fri, 15 Jan 2027 08:00:01",
                   AibFault::date}}) {
    const Inspection seen = inspected(replaced(sealed(signed_only()), one.from, one.to), {});
    EXPECT_EQ(signature_of(seen).binding, Binding::other_message) << one.to;
    EXPECT_EQ(signature_of(seen).fault, one.fault) << one.to;
    EXPECT_EQ(seen.verdict, Verdict::refused);
    EXPECT_FALSE(innermost(seen.root)->is_verified);
  }
}

TEST(Inspection, SignedBySomebodyElse) {
  const Call& call = sample_call();
  const SealOrder order{.message = *call.message,
                        .signer = call.carol.certificate,
                        .key = call.carol.key,
                        .now = now};
  const Inspection seen = inspected(sealed(order), {});
  EXPECT_EQ(signature_of(seen).binding, Binding::other_signer);
  EXPECT_EQ(seen.verdict, Verdict::refused);
}

TEST(Inspection, NothingBoundWithoutIdentity) {
  SealOrder order = signed_only();
  order.has_identity = false;
  const Inspection seen = inspected(sealed(order), {});
  EXPECT_EQ(signature_of(seen).binding, Binding::no_identity);
  EXPECT_EQ(seen.verdict, Verdict::refused);
}

TEST(Inspection, TwoIdentitiesOrAnUnreadableOneBindNothing) {
  const std::string odd =
      "Content-Type: message/sipfrag\r\nContent-Disposition: aib\r\n\r\nFrom: <sip:a@b>\r\n";
  for (const std::string& second : {identity(), odd}) {
    const Inspection seen =
        inspected(carrying(signed_by_alice(mixed({identity(), second, description()}))), {});
    EXPECT_EQ(signature_of(seen).binding, Binding::unclear);
  }
}

TEST(Inspection, AnIdentityOutsideOfTheEnvelopeSaysNothingOfWhatIsInIt) {
  const std::string captured = write_entity(sealed_for_bob(description()));
  const std::string text = carrying(signed_by_alice(mixed({identity(), captured})));
  EXPECT_EQ(signature_of(seen_by_bob(text)).binding, Binding::outside);
  EXPECT_EQ(signature_of(inspected(text, {})).binding, Binding::outside);

  const std::string own = write_entity(sealed_for_bob(mixed({identity(), description()}, "n1")));
  const Inspection seen = seen_by_bob(carrying(signed_by_alice(own)));
  EXPECT_EQ(signature_of(seen).binding, Binding::this_message);
  EXPECT_EQ(seen.verdict, Verdict::good);
}

TEST(Inspection, AnIdentityInTheEnvelopeBesideItNeither) {
  const std::string captured = write_entity(sealed_for_bob(description()));
  const std::string hidden = write_entity(sealed_for_bob(identity()));
  const Inspection seen = seen_by_bob(carrying(signed_by_alice(mixed({hidden, captured}))));
  EXPECT_EQ(signature_of(seen).binding, Binding::outside);
  EXPECT_FALSE(innermost(seen.root)->is_verified);
}

TEST(Inspection, AClosedEnvelopeTakesNothingFromWhatIsBesideIt) {
  const std::string closed = write_entity(sealed_for_bob(description()));
  const std::string text = carrying(signed_by_alice(mixed({identity(), description(), closed})));
  EXPECT_EQ(signature_of(inspected(text, {})).binding, Binding::this_message);
  EXPECT_EQ(signature_of(seen_by_bob(text)).binding, Binding::outside);
}

TEST(Inspection, AnEncryptedIdentityBindsWhatIsBesideIt) {
  const std::string hidden = write_entity(sealed_for_bob(identity()));
  const Inspection seen = seen_by_bob(carrying(signed_by_alice(mixed({hidden, description()}))));
  EXPECT_EQ(signature_of(seen).binding, Binding::this_message);
  EXPECT_TRUE(innermost(seen.root)->is_verified);
}

TEST(Inspection, AnEntityIsBoundToNoMessage) {
  const Inspection seen = inspected(write_entity(signed_by_alice(description())), {});
  EXPECT_EQ(seen.start_line, "");
  EXPECT_EQ(signature_of(seen).binding, Binding::not_asked);
  EXPECT_TRUE(innermost(seen.root)->is_verified);
  EXPECT_EQ(seen.verdict, Verdict::good);
}

TEST(Inspection, DescriptionsThatDisagree) {
  std::string other = keyed_description;
  other = replaced(other, "49170", "49172");
  const auto bound = [&](const std::string& sdp, const std::string& boundary) {
    const std::string part = write_entity({.content_type = "application/sdp", .body = sdp});
    return write_entity(
        sealed_for_bob(write_entity(signed_by_alice(mixed({identity(), part}, boundary)))));
  };
  const auto pairing = [&](const std::string& first, const std::string& second) {
    const Inspection seen =
        seen_by_bob(carrying(write_multipart("mixed", {{first, second}}, "p0").value()));
    EXPECT_EQ(seen.verdict == Verdict::good, seen.pairing == Pairing::same);
    return seen.pairing;
  };
  EXPECT_EQ(pairing(bound(shared_description, "m1"), bound(keyed_description, "m2")),
            Pairing::same);
  EXPECT_EQ(pairing(bound(shared_description, "m1"), bound(other, "m2")), Pairing::different);
  EXPECT_EQ(pairing(description(), bound(keyed_description, "m2")), Pairing::other_signer);
}

TEST(Inspection, AttackersPartLastIsNotVerified) {
  const std::string evil = write_entity({.content_type = "text/plain", .body = "evil"});
  const std::string good = write_entity(signed_by_alice(mixed({identity(), description()}, "n1")));
  const Inspection seen =
      inspected(carrying(write_multipart("mixed", {{good, evil}}, "p0").value()), {});
  EXPECT_EQ(innermost(seen.root)->content, "evil");
  EXPECT_FALSE(innermost(seen.root)->is_verified);
}

TEST(Inspection, WhatIsMalformedAndWhatIsOnlyForeign) {
  EXPECT_EQ(inspect("", {}).verdict, Verdict::malformed);
  EXPECT_EQ(inspect("INVITE sip:b@example.com SIP/2.0\r\n\r\n", {}).verdict, Verdict::malformed);
  EXPECT_EQ(inspect(std::string(65537, 'x'), {}).root.fault, "too-long");
  EXPECT_EQ(inspect(write_entity(cms("signed-data", "0")), {}).verdict, Verdict::malformed);
  const Inspection gzip =
      inspect("Content-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\nx", {});
  EXPECT_EQ(gzip.root.fault, "unsupported");
  EXPECT_EQ(gzip.verdict, Verdict::refused);
}

TEST(Inspection, NestingEnds) {
  std::string entity = description();
  for (int layer = 0; layer < 12; ++layer) entity = write_entity(signed_by_alice(entity));
  const Inspection seen = inspect(entity, {});
  EXPECT_EQ(seen.verdict, Verdict::malformed);
  EXPECT_EQ(innermost(seen.root), nullptr);
}

TEST(Inspection, LabelsOfBodiesInsideOneAnother) {
  MimeEntity inner = signed_by_alice(mixed({identity(), description()}));
  inner.content_id = "in@example.com";
  MimeEntity outer = sealed_for_bob(write_entity(inner));
  outer.content_id = "out@example.com";
  const std::vector<InspectBody> labels{{"gw.example.com", {"out@example.com", "in@example.com"}},
                                        {"p2.example.com", {"no@example.com"}}};
  const Inspection seen =
      seen_by_bob(with_body(*sample_call().message, outer, labels, now).value());
  EXPECT_EQ(seen.root.middles, std::vector<std::string>{"gw.example.com"});
  EXPECT_EQ(seen.root.parts.at(0).middles, std::vector<std::string>{"gw.example.com"});
  EXPECT_TRUE(seen.labels.at(0).has_part);
  EXPECT_FALSE(seen.labels.at(1).has_part);
}

TEST(CmsText, MethodsOfEachKindOfKey) {
  for (const auto& [kind, method, signature] :
       {std::tuple(KeyKind::p384, "ECDH P-384, SHA-384 KDF, ", "ECDSA, SHA-384"),
        std::tuple(KeyKind::rsa, "RSA-OAEP, SHA-256", "RSA-PSS, SHA-256")}) {
    const MadeCertificate& who = parties().alice(kind);
    EXPECT_EQ(signature_method(signed_by(who, "x")), signature);
    const auto sealed = seal_envelope({.content = "x",
                                       .recipients = {&who.certificate, 1},
                                       .kek = std::nullopt,
                                       .cek_reference = std::nullopt,
                                       .max_decrypts = std::nullopt});
    const auto scan = scan_cms(sealed->der, {});
    ASSERT_TRUE(scan);
    EXPECT_TRUE(recipient_method(scan->recipients.at(0)).starts_with(method))
        << recipient_method(scan->recipients.at(0));
    EXPECT_TRUE(is_named(scan->recipients.at(0), who.certificate));
  }
}

TEST(CmsText, NoMethodOfWhatWasNotScanned) {
  for (const std::string& der :
       {std::string(), std::string("0"), std::string("\x30\x02\x05\x00", 4)})
    EXPECT_EQ(signature_method(der).error(), Error::malformed);
}

} // namespace
} // namespace midcom::sip::e2m
