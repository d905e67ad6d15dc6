// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/disclosure_run.h"

#include <functional>
#include <gtest/gtest.h>

namespace midcom {
namespace {

constexpr std::int64_t now = 1'800'000'000; // Fri, 15 Jan 2027 08:00:00 GMT
constexpr const char* date = "Fri, 15 Jan 2027 08:00:00 GMT";

const std::string sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                        "m=audio 4000 RTP/AVP 0\r\n";
const std::string sdp_entity = "Content-Type: application/sdp\r\n\r\n" + sdp;

std::string aib(const std::string& call_id = "c1", const std::string& from = "alice@example.com",
                const std::string& when = date) {
  return "Content-Type: message/sipfrag\r\nContent-Disposition: aib; handling=optional\r\n\r\n"
         "From: <sip:" +
         from + ">;tag=f\r\nTo: <sip:bob@example.com>\r\nContact: <sip:a@192.0.2.1>\r\nCall-ID: " +
         call_id + "\r\nCSeq: 1 INVITE\r\nDate: " + when + "\r\n";
}

std::string mixed(const std::vector<std::string>& parts) {
  std::string out = "Content-Type: multipart/mixed; boundary=in\r\n\r\n";
  for (const auto& part : parts) out += "--in\r\n" + part + "\r\n";
  return out + "--in--\r\n";
}

std::string cms(const std::string& kind, const std::string& der, const std::string& id) {
  return "Content-Type: application/pkcs7-mime; smime-type=" + kind + "\r\nContent-ID: <" + id +
         ">\r\n\r\n" + der;
}

class DisclosureRunTest : public testing::Test {
protected:
  DisclosureTerms terms = [] {
    DisclosureTerms t;
    t.is_label_believed = t.has_identity = true;
    return t;
  }();
  std::string label = "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\"\r\n";
  DisclosureRun::Expected expected{{"sip:alice@example.com"}, {}};
  std::vector<DisclosureRun::Asked> asked;
  // What an opener answers, by the request's `der`.
  std::map<std::string, opener::Reply> replies;

  static opener::Reply opened(const std::string& content) {
    return opener::Opened{.id = 0, .is_open = true, .content = content, .by_kek = false};
  }
  static opener::Reply closed() {
    return opener::Opened{.id = 0, .is_open = false, .content = {}, .by_kek = false};
  }
  static opener::Reply verified(const std::string& content,
                                const std::string& uri = "sip:alice@example.com") {
    opener::Verified reply;
    reply.finding = opener::Finding::trusted;
    reply.content = content;
    reply.uris = {uri};
    return reply;
  }
  static opener::Reply refused(opener::Finding finding) {
    opener::Verified reply;
    reply.finding = finding;
    return reply;
  }

  // `entity` becomes the message's body, its header block the message's Content-* fields.
  Disclosure run(const std::string& entity) {
    const auto at = entity.find("\r\n\r\n");
    const std::string body = entity.substr(at + 4);
    auto message = sip::Message::parse(
        "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\n"
        "From: <sip:alice@example.com>;tag=f\r\nTo: <sip:bob@example.com>\r\nCall-ID: c1\r\n"
        "CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n" +
            label + entity.substr(0, at + 2) + "Content-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body,
        sip::Framing::stream, {});
    EXPECT_TRUE(message.has_value());
    const std::vector<std::string> names{"gw.example.com"};
    DisclosureRun reading(*message, terms, names, expected, now);
    while (auto question = reading.next()) {
      asked.push_back(*question);
      const auto der = std::visit([](const auto& q) { return q.der; }, *question);
      if (const auto reply = replies.find(der); reply != replies.end())
        reading.take(reply->second);
      else
        reading.take_failure();
    }
    return reading.result();
  }
};

TEST_F(DisclosureRunTest, AClearDescriptionNeedsNobody) {
  label.clear();
  const auto read = run(sdp_entity);
  EXPECT_EQ(read.description, sdp);
  EXPECT_FALSE(read.is_sealed);
  EXPECT_FALSE(read.signer);
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, AClearDescriptionInsideMultipart) {
  label.clear();
  EXPECT_EQ(run(mixed({"Content-Type: text/plain\r\n\r\nx", sdp_entity})).description, sdp);
  EXPECT_FALSE(run(mixed({"Content-Type: application/sdp\r\nContent-Disposition: early-session"
                          "\r\n\r\n" +
                          sdp}))
                   .description);
}

TEST_F(DisclosureRunTest, TwoDescriptionsThatDifferAreAmbiguous) {
  label.clear();
  EXPECT_EQ(run(mixed({sdp_entity, sdp_entity + "a=x\r\n"})).finding, Reason::body_ambiguous);
  EXPECT_EQ(run(mixed({sdp_entity, sdp_entity})).description, sdp);
}

TEST_F(DisclosureRunTest, LabelledEnvelopeIsOpened) {
  terms.view = {"application/sdp"};
  replies["E"] = opened(sdp_entity);
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  EXPECT_TRUE(read.is_sealed);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(std::get<opener::Open>(asked[0]).may_use_private_key);
}

// Invariant 6: who has proved nothing causes no public-key operation.
TEST_F(DisclosureRunTest, WithoutAnIdentityNoPrivateKeyIsUsed) {
  terms.view = {"application/sdp"};
  terms.has_identity = false;
  replies["E"] = closed();
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::body_undecipherable);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_FALSE(std::get<opener::Open>(asked[0]).may_use_private_key);
}

TEST_F(DisclosureRunTest, APrivateBodyIsNeverAskedFor) {
  label.clear();
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_FALSE(read.description);
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, ALabelIsBelievedOnlyOverTls) {
  terms.is_label_believed = false;
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::none);
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, AnUnlabelledEnvelopeIsTriedWithEarlierKeysAlone) {
  label.clear();
  terms.view = {"application/sdp"};
  replies["E"] = opened(sdp_entity);
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).description, sdp);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_FALSE(std::get<opener::Open>(asked[0]).may_use_private_key);
}

TEST_F(DisclosureRunTest, WhatMustBeSeenAndIsNotIs496WithItsType) {
  label.clear();
  terms.view = {"application/sdp"};
  replies["E"] = closed();
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::body_undecipherable);
  EXPECT_EQ(read.lacking, "application/sdp");
}

TEST_F(DisclosureRunTest, OpaqueBodiesMayBeRefusedWholly) {
  label.clear();
  terms.forwards_opaque = false;
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::body_undecipherable);
  EXPECT_EQ(read.lacking, "");
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, ALabelThatNamesNoPartIsSaidSo) {
  terms.view = {"application/sdp"};
  replies["E"] = closed();
  label = "Proxy-Inspect-Body: gw.example.com; cid=\"other@a\"\r\n";
  EXPECT_EQ(run(sdp_entity).finding, Reason::label_mismatch);
}

TEST_F(DisclosureRunTest, SharedAndPrivatePart) {
  terms.view = {"application/sdp"};
  replies["S"] = opened(sdp_entity);
  const auto read = run(mixed(
      {cms("auth-enveloped-data", "S", "p1@a"), cms("auth-enveloped-data", "P", "private@a")}));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  EXPECT_EQ(asked.size(), 1U); // nobody was asked about the private one
}

class SignedBodyTest : public DisclosureRunTest {
protected:
  SignedBodyTest() {
    terms.view = terms.verify = {"application/sdp"};
    replies["E"] = opened(cms("signed-data", "S", "s@a"));
    replies["S"] = verified(mixed({aib(), sdp_entity}));
  }
  std::string sealed = cms("auth-enveloped-data", "E", "p1@a");
};

TEST_F(SignedBodyTest, SignedThenEnvelopedIsBelieved) {
  const auto read = run(sealed);
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  ASSERT_TRUE(read.signer);
  EXPECT_EQ(read.signer->uri, "sip:alice@example.com");
  EXPECT_EQ(read.signer->date, now);
}

TEST_F(SignedBodyTest, EachFaultHasItsReason) {
  using Finding = opener::Finding;
  const std::pair<Finding, Reason> rows[] = {{Finding::bad_signature, Reason::signature_invalid},
                                             {Finding::unsupported, Reason::signature_invalid},
                                             {Finding::untrusted, Reason::signer_untrusted},
                                             {Finding::expired, Reason::signer_expired},
                                             {Finding::revoked, Reason::signer_revoked},
                                             {Finding::purpose, Reason::signer_untrusted}};
  for (const auto& [finding, reason] : rows) {
    replies["S"] = refused(finding);
    const auto read = run(sealed);
    EXPECT_EQ(read.finding, reason);
    EXPECT_FALSE(read.description);
  }
}

TEST_F(SignedBodyTest, WithoutAnIdentityNoSignatureIsVerified) {
  label.clear();
  terms.has_identity = false;
  EXPECT_EQ(run(cms("signed-data", "S", "s@a")).finding, Reason::identity_unproved);
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, ADescriptionIsLookedForWhereNobodyDemandsIt) {
  label.clear();
  terms.looks_for_description = true;
  replies["E"] = closed();
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::none);
  replies["E"] = opened(sdp_entity);
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).description, sdp);
  for (const auto& question : asked)
    EXPECT_FALSE(std::get<opener::Open>(question).may_use_private_key);
}

TEST_F(SignedBodyTest, UnsignedIs495) {
  replies["E"] = opened(sdp_entity);
  const auto read = run(sealed);
  EXPECT_EQ(read.finding, Reason::signature_required);
  EXPECT_EQ(read.lacking, "application/sdp");
}

TEST_F(SignedBodyTest, UnsignedInClearIsLegacy) {
  label.clear();
  EXPECT_EQ(run(sdp_entity).finding, Reason::none);
  terms.accepts_legacy = false;
  EXPECT_EQ(run(sdp_entity).finding, Reason::signature_required);
}

TEST_F(SignedBodyTest, WithoutAnAibNothingIsBound) {
  replies["S"] = verified(sdp_entity);
  EXPECT_EQ(run(sealed).finding, Reason::aib_missing);
}

TEST_F(SignedBodyTest, AnAibOfAnotherCallIsNone) {
  replies["S"] = verified(mixed({aib("other"), sdp_entity}));
  EXPECT_EQ(run(sealed).finding, Reason::aib_mismatch);
}

TEST_F(SignedBodyTest, TwoAibsAreNone) {
  replies["S"] = verified(mixed({aib(), aib(), sdp_entity}));
  EXPECT_EQ(run(sealed).finding, Reason::aib_mismatch);
}

TEST_F(SignedBodyTest, TheSignerIsTheSender) {
  replies["S"] = verified(mixed({aib(), sdp_entity}), "sip:mallory@example.com");
  EXPECT_EQ(run(sealed).finding, Reason::signer_mismatch);
}

TEST_F(SignedBodyTest, TheDateIsNear) {
  for (const char* when : {"Fri, 15 Jan 2027 06:59:59 GMT", "Fri, 15 Jan 2027 09:00:01 GMT"}) {
    replies["S"] = verified(mixed({aib("c1", "alice@example.com", when), sdp_entity}));
    EXPECT_EQ(run(sealed).finding, Reason::signature_stale) << when;
  }
  replies["S"] = verified(
      mixed({aib("c1", "alice@example.com", "Fri, 15 Jan 2027 07:00:00 GMT"), sdp_entity}));
  EXPECT_EQ(run(sealed).finding, Reason::none);
}

// Anyone can sign a captured ciphertext: the AIB must be as deep as what it speaks for.
TEST_F(SignedBodyTest, EnvelopedThenSignedNeedsTheAibInside) {
  const std::string envelope = cms("auth-enveloped-data", "E", "p1@a");
  const auto body = cms("signed-data", "S", "s@a");
  replies["S"] = verified(mixed({aib(), envelope}));
  replies["E"] = opened(sdp_entity);
  label = "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\"\r\n";
  EXPECT_EQ(run(body).finding, Reason::aib_missing);
  replies["S"] = verified(envelope);
  replies["E"] = opened(mixed({aib(), sdp_entity}));
  const auto read = run(body);
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  EXPECT_TRUE(read.signer);
}

// An AIB in an envelope of its own says nothing of a captured one beside it.
TEST_F(SignedBodyTest, AnAibInAnotherEnvelopeBindsNothing) {
  label += "Proxy-Inspect-Body: gw.example.com; cid=\"own@a\"\r\n";
  replies["S"] = verified(
      mixed({cms("auth-enveloped-data", "A", "own@a"), cms("auth-enveloped-data", "E", "p1@a")}));
  replies["A"] = opened(aib());
  replies["E"] = opened(sdp_entity);
  EXPECT_EQ(run(cms("signed-data", "S", "s@a")).finding, Reason::aib_missing);
}

// Whoever understands less than we do takes another alternative.
TEST_F(SignedBodyTest, EachAlternativeIsVerified) {
  terms.accepts_legacy = false;
  std::string body = mixed({sdp_entity, cms("signed-data", "S", "s@a")});
  body.replace(body.find("mixed"), 5, "alternative");
  label.clear();
  EXPECT_EQ(run(body).finding, Reason::signature_required);
  terms.accepts_legacy = true;
  const auto read = run(body);
  EXPECT_EQ(read.description, sdp);
  EXPECT_TRUE(read.signer); // the one that is taken
}

TEST_F(DisclosureRunTest, AnAlternativeThatIsNotTakenShowsNothing) {
  label.clear();
  terms.view = {"application/sdp"};
  replies["E"] = closed();
  std::string body = mixed({sdp_entity, cms("auth-enveloped-data", "E", "p@a")});
  body.replace(body.find("mixed"), 5, "alternative");
  EXPECT_EQ(run(body).finding, Reason::body_undecipherable);
}

TEST_F(SignedBodyTest, EarlySessionsAreVerifiedToo) {
  label.clear();
  terms.accepts_legacy = false;
  const auto early =
      "Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n\r\n" + sdp;
  EXPECT_EQ(run(mixed({cms("signed-data", "S", "s@a"), early})).finding,
            Reason::signature_required);
}

// What is signed and what is beside it unsigned are both remembered as taken.
TEST_F(SignedBodyTest, EverySignatureThatCountsIsTold) {
  label.clear();
  terms.verify = {"text/plain"};
  replies["S"] = verified(mixed({aib(), "Content-Type: text/plain\r\n\r\nhello"}));
  const auto read = run(mixed({cms("signed-data", "S", "s@a"), sdp_entity}));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  EXPECT_FALSE(read.signer);
  ASSERT_EQ(read.verified.size(), 1U);
  EXPECT_EQ(read.verified[0].uri, "sip:alice@example.com");
}

// What smime-type says is only said: an envelope could hide behind it.
TEST_F(DisclosureRunTest, NoNameHidesAnEnvelope) {
  label.clear();
  terms.view = {"application/sdp"};
  replies["E"] = closed();
  EXPECT_EQ(run(cms("certs-only", "E", "p@a")).finding, Reason::body_undecipherable);
  terms.view.clear();
  terms.forwards_opaque = false;
  EXPECT_EQ(run(cms("certs-only", "E", "p@a")).finding, Reason::body_undecipherable);
  const auto pgp = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; "
                   "boundary=in\r\n\r\n--in\r\nContent-Type: application/pgp-encrypted\r\n\r\n"
                   "Version: 1\r\n--in\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n"
                   "--in--\r\n";
  EXPECT_EQ(run(pgp).finding, Reason::body_undecipherable);
}

TEST_F(DisclosureRunTest, ALabelPointsAtOnePart) {
  replies["E"] = replies["F"] = opened(sdp_entity);
  EXPECT_EQ(
      run(mixed({cms("auth-enveloped-data", "E", "p1@a"), cms("auth-enveloped-data", "F", "p1@a")}))
          .finding,
      Reason::label_mismatch);
  EXPECT_TRUE(asked.empty());
}

TEST_F(SignedBodyTest, EachLabelPointsAtSomething) {
  label += "Proxy-Required-Body: GW.example.com; cid=other@a\r\n";
  EXPECT_EQ(run(sealed).finding, Reason::label_mismatch);
  label = "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\",cid=\"nothing@a\"\r\n";
  EXPECT_EQ(run(sealed).finding, Reason::label_mismatch);
  label = "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\",cid=\"s@a\"\r\n";
  EXPECT_EQ(run(sealed).finding, Reason::none);
  // Others' labels are theirs.
  label += "Proxy-Inspect-Body: gw2.example.com; cid=\"nothing@a\"\r\n";
  EXPECT_EQ(run(sealed).finding, Reason::none);
}

// Two lines may lead to two parts of one envelope.
TEST_F(DisclosureRunTest, NestedBodiesAreFollowedByEachLabel) {
  label = "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\",cid=\"in1@a\"\r\n"
          "Proxy-Inspect-Body: gw.example.com; cid=\"p1@a\",cid=\"in2@a\"\r\n";
  replies["E"] = opened(
      mixed({cms("auth-enveloped-data", "1", "in1@a"), cms("auth-enveloped-data", "2", "in2@a"),
             cms("auth-enveloped-data", "3", "in3@a")}));
  replies["1"] = opened("Content-Type: text/plain\r\n\r\nx");
  replies["2"] = opened(sdp_entity);
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.description, sdp);
  EXPECT_EQ(asked.size(), 3U); // not the third one inside
}

TEST_F(SignedBodyTest, MultipartSignedIsVerifiedOverItsExactOctets) {
  label.clear();
  const std::string first = mixed({aib(), sdp_entity});
  const std::string body =
      "Content-Type: multipart/signed; micalg=sha-256; protocol=\"application/pkcs7-signature\"; "
      "boundary=out\r\n\r\n--out\r\n" +
      first + "\r\n--out\r\nContent-Type: application/pkcs7-signature\r\n\r\nS\r\n--out--\r\n";
  replies["S"] = verified("");
  const auto read = run(body);
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_TRUE(read.signer);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(std::get<opener::Verify>(asked[0]).detached, first);
}

TEST_F(SignedBodyTest, AnswersAreSignedByWhomThePolicySays) {
  expected = {{"sip:bob@example.com"}, {}};
  EXPECT_NE(run(sealed).finding, Reason::none); // the AIB is no response's
}

TEST_F(SignedBodyTest, AnUnavailableOpenerReadsNothing) {
  replies.erase("S");
  EXPECT_EQ(run(sealed).finding, Reason::overload);
  replies.erase("E");
  EXPECT_EQ(run(sealed).finding, Reason::body_undecipherable);
}

TEST_F(DisclosureRunTest, QuestionsAreBounded) {
  terms.view = {"application/sdp"};
  std::vector<std::string> parts;
  for (int i = 0; i < 20; ++i)
    parts.push_back(cms("auth-enveloped-data", "E" + std::to_string(i), "x@a"));
  EXPECT_EQ(run(mixed(parts)).finding, Reason::body_syntax);
  EXPECT_TRUE(asked.empty());
}

TEST_F(DisclosureRunTest, EnvelopesInsideEnvelopesEnd) {
  terms.view = {"application/sdp"};
  replies["E"] = opened(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::body_syntax);
  EXPECT_EQ(asked.size(), DisclosureRun::max_questions);
}

TEST_F(DisclosureRunTest, RubbishIsRefusedOnlyByWhoAsks) {
  label.clear();
  const std::string broken = "Content-Type: multipart/mixed; boundary=x\r\n\r\nno boundary";
  EXPECT_EQ(run(broken).finding, Reason::none);
  terms.view = {"application/sdp"};
  EXPECT_EQ(run(broken).finding, Reason::body_syntax);
}

// The body is for one of our users.
class ReceivedBodyTest : public DisclosureRunTest {
protected:
  ReceivedBodyTest() {
    terms.is_recipient = true;
    label.clear();
  }
  static std::string with_key(const std::string& text) {
    return text + "a=crypto:1 A inline:K\r\n";
  }
  // Two envelopes, each with a signature in it.
  Disclosure both(const std::string& shared, const std::string& own,
                  const std::string& other_signer = "sip:alice@example.com") {
    replies["E1"] = opened(cms("signed-data", "S1", "s1@a"));
    replies["E2"] = opened(cms("signed-data", "S2", "s2@a"));
    replies["S1"] = verified(mixed({aib(), entity_with(shared)}));
    replies["S2"] = verified(mixed({aib(), entity_with(own)}), other_signer);
    return run(mixed(
        {cms("auth-enveloped-data", "E1", "p1@a"), cms("auth-enveloped-data", "E2", "p2@a")}));
  }
  static std::string entity_with(const std::string& text) {
    return "Content-Type: application/sdp\r\n\r\n" + text;
  }
};

TEST_F(ReceivedBodyTest, IsOpenedWithoutALabelAndGivenOutAsItWas) {
  replies["E"] = opened(cms("signed-data", "S", "s@a"));
  replies["S"] = verified(mixed({aib(), sdp_entity}));
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.plain, sdp_entity);
  EXPECT_TRUE(read.is_sealed);
  ASSERT_TRUE(read.signer);
  EXPECT_TRUE(std::get<opener::Open>(asked.at(0)).may_use_private_key);
}

// It can't be read here, and is given out all the same.
TEST_F(ReceivedBodyTest, EncodedContentIsNoLessBoundToItsMessage) {
  const std::string encoded = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\nx";
  replies["E"] = opened(cms("signed-data", "S", "s@a"));
  replies["S"] = verified(mixed({aib(), encoded}));
  const auto read = run(cms("auth-enveloped-data", "E", "p1@a"));
  EXPECT_EQ(read.plain, encoded);
  EXPECT_EQ(read.verified.size(), 1U);
  replies["S"] = verified(mixed({encoded}));
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::aib_missing);
}

TEST_F(ReceivedBodyTest, PlainBodiesStayWhatTheyAre) {
  const auto read = run(sdp_entity);
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_FALSE(read.plain);
}

TEST_F(ReceivedBodyTest, ThePrivateDescriptionIsUsed) {
  EXPECT_EQ(both(sdp, with_key(sdp)).plain, entity_with(with_key(sdp)));
  EXPECT_EQ(both(with_key(sdp), sdp).plain, entity_with(with_key(sdp))); // whichever comes first
  EXPECT_EQ(both(sdp, sdp).plain, sdp_entity);
}

TEST_F(ReceivedBodyTest, ThePrivateDescriptionSaysNothingElse) {
  std::string moved = with_key(sdp);
  moved.replace(moved.find("4000"), 4, "5000");
  EXPECT_EQ(both(sdp, moved).finding, Reason::private_differs);
  EXPECT_FALSE(both(sdp, moved).plain);
  EXPECT_EQ(both(with_key(sdp), with_key(moved)).finding, Reason::private_differs);
}

TEST_F(ReceivedBodyTest, BothAreOneSigners) {
  expected.signers.clear(); // whoever is trusted
  replies.clear();
  EXPECT_NE(both(sdp, with_key(sdp), "sip:carol@example.com").finding, Reason::none);
  replies["E2"] = opened(entity_with(with_key(sdp))); // without a signature
  EXPECT_EQ(run(mixed({cms("auth-enveloped-data", "E1", "p1@a"),
                       cms("auth-enveloped-data", "E2", "p2@a")}))
                .finding,
            Reason::private_differs);
}

TEST_F(ReceivedBodyTest, EverySignatureCounts) {
  replies["S"] = refused(opener::Finding::untrusted);
  EXPECT_EQ(run(cms("signed-data", "S", "s@a")).finding, Reason::signer_untrusted);
  replies["S"] = verified(sdp_entity);
  EXPECT_EQ(run(cms("signed-data", "S", "s@a")).finding, Reason::aib_missing);
  replies["S"] = verified(mixed({aib("other"), sdp_entity}));
  EXPECT_EQ(run(cms("signed-data", "S", "s@a")).finding, Reason::aib_mismatch);
}

TEST_F(ReceivedBodyTest, WhatIsSealedForOthersIsUndecipherable) {
  replies["E"] = closed();
  EXPECT_EQ(run(cms("auth-enveloped-data", "E", "p1@a")).finding, Reason::body_undecipherable);
}

TEST_F(ReceivedBodyTest, APartForAMiddleAloneIsNobodysLoss) {
  replies["E"] = closed();
  replies["S"] = verified(mixed({aib(), sdp_entity}));
  const auto read = run(mixed({"Content-Type: application/pkcs7-mime; smime-type=auth-enveloped-"
                               "data\r\nContent-Disposition: attachment; handling=optional"
                               "\r\n\r\nE",
                               cms("signed-data", "S", "s@a")}));
  EXPECT_EQ(read.finding, Reason::none);
  EXPECT_EQ(read.plain, sdp_entity);
}

} // namespace
} // namespace midcom
