// SPDX-License-Identifier: GPL-3.0-or-later
// The opener by real certificates and real CMS bodies.
#include "daemon/opener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include "daemon/call_filter.h"
#include "sip/e2m/certs_only.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/make_certificates.h"
#include "sip/e2m/signature.h"
#include "tests/unit/daemon/in_child.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using opener::Finding;
using opener::Open;
using opener::Opened;
using opener::Verified;
using opener::Verify;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t now = 1790000000, day = 86400;
constexpr e2m::Validity valid{now - day, now + 30 * day};
const std::string content = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
const std::string pair = "sip:alice@example.net sip:bob@example.org";

// Made once: keys are dear.
struct Names {
  e2m::CertificateAuthority authority = *e2m::CertificateAuthority::make_root("CA", valid);
  e2m::CertificateAuthority other = *e2m::CertificateAuthority::make_root("Other", valid);
  e2m::MadeCertificate gateway = *authority.issue(e2m::gateway_order("gw.example.net", valid));
  e2m::MadeCertificate alice = *authority.issue(e2m::user_order("alice", "example.net", valid));
  e2m::MadeCertificate bob = *authority.issue(e2m::user_order("bob", "example.net", valid));
  e2m::MadeCertificate mallory = *other.issue(e2m::user_order("alice", "example.net", valid));
  e2m::MadeCertificate stale =
      *authority.issue(e2m::user_order("alice", "example.net", {now - 2 * day, now - day}));
  e2m::MadeCertificate web = *authority.issue(
      {.common_name = "web", .dns_names = {"web.example"}, .key_usage = 1, .validity = valid});
};
const Names& names() {
  static const Names made;
  return made;
}

OpenerMaterial material() {
  return {.certificate = names().gateway.certificate.pem(),
          .key = names().gateway.key.pem(),
          .authorities = names().authority.certificate().pem(),
          .revocation_lists = "",
          .extended_key_usages = {"1.3.6.1.5.5.7.3.4"}};
}

std::unique_ptr<Opener> make(OpenerMaterial from = material()) {
  auto made = Opener::make(std::move(from));
  EXPECT_TRUE(made) << made.error();
  return made ? std::move(*made) : nullptr;
}

e2m::Sealed sealed(const e2m::MadeCertificate& recipient,
                   std::optional<std::string> reference = std::nullopt,
                   std::string_view text = content) {
  const std::vector<e2m::Certificate> recipients = {recipient.certificate};
  return *e2m::seal_envelope({.content = text,
                              .recipients = recipients,
                              .kek = std::nullopt,
                              .cek_reference = std::move(reference),
                              .max_decrypts = std::nullopt});
}

// An answer that only the CEK of the request opens.
std::string answer_to(const e2m::Sealed& request, const std::string& reference,
                      std::string_view text = "v=1") {
  return e2m::seal_envelope({.content = text,
                             .recipients = {},
                             .kek = e2m::Kek{e2m::kek_from_cek(request.cek), reference},
                             .cek_reference = std::nullopt,
                             .max_decrypts = std::nullopt})
      ->der;
}

Opened open(Opener& opener, std::string der, bool may_use_private_key = true, std::string of = pair,
            std::int64_t when = now) {
  return std::get<Opened>(opener.handle(Open{.id = 7,
                                             .pair = std::move(of),
                                             .der = std::move(der),
                                             .may_use_private_key = may_use_private_key,
                                             .now = static_cast<std::uint64_t>(when)}));
}

std::string signed_by(const e2m::MadeCertificate& signer, bool is_detached = false) {
  return *e2m::sign({.content = content,
                     .signer = signer.certificate,
                     .key = signer.key,
                     .is_detached = is_detached,
                     .time = now});
}

Verified verify(Opener& opener, std::string der,
                std::optional<std::string> detached = std::nullopt) {
  return std::get<Verified>(opener.handle(
      Verify{.id = 8, .der = std::move(der), .detached = std::move(detached), .now = now}));
}

TEST(Opener, OpensWhatIsSealedForIt) {
  const auto opener = make();
  EXPECT_EQ(open(*opener, sealed(names().gateway).der),
            (Opened{.id = 7, .is_open = true, .content = content, .by_kek = false}));
  EXPECT_EQ(opener->kept_keys(), 0U);
}

TEST(Opener, AllFailuresAreOneAndCostTheSame) {
  const auto opener = make();
  std::string cut = sealed(names().gateway).der;
  cut.back() = static_cast<char>(cut.back() ^ 1);
  const Opened closed{.id = 7, .is_open = false, .content = "", .by_kek = false};
  EXPECT_EQ(open(*opener, cut), closed);
  EXPECT_EQ(opener->private_key_operations(), 1U);
  EXPECT_EQ(open(*opener, sealed(names().alice).der), closed);
  EXPECT_EQ(opener->private_key_operations(), 2U);
  EXPECT_EQ(open(*opener, "nothing of the kind"), closed);
  EXPECT_EQ(open(*opener, ""), closed);
}

TEST(Opener, UsesThePrivateKeyOnlyWhenItMay) {
  const auto opener = make();
  EXPECT_FALSE(open(*opener, sealed(names().gateway).der, false).is_open);
  EXPECT_EQ(opener->private_key_operations(), 0U);
}

TEST(Opener, OpensTheAnswerByTheRequestsKey) {
  const auto opener = make();
  const e2m::Sealed request = sealed(names().gateway, "reference-1");
  EXPECT_FALSE(open(*opener, answer_to(request, "reference-1")).is_open);
  ASSERT_TRUE(open(*opener, request.der).is_open);
  EXPECT_EQ(opener->kept_keys(), 1U);
  EXPECT_EQ(open(*opener, answer_to(request, "reference-1"), false),
            (Opened{.id = 7, .is_open = true, .content = "v=1", .by_kek = true}));
}

TEST(Opener, AnotherPairHasNoUseOfAKey) {
  const auto opener = make();
  const e2m::Sealed request = sealed(names().gateway, "reference-1");
  ASSERT_TRUE(open(*opener, request.der).is_open);
  const std::string answer = answer_to(request, "reference-1");
  EXPECT_FALSE(open(*opener, answer, true, "sip:alice@example.net sip:eve@example.org").is_open);
  EXPECT_TRUE(open(*opener, answer).is_open);
}

TEST(Opener, AKeyOpensAsOftenAsAgreedAndTheSameOctetsCountOnce) {
  const auto opener = make();
  const e2m::Sealed request = sealed(names().gateway, "reference-1");
  ASSERT_TRUE(open(*opener, request.der).is_open);
  const std::string answer = answer_to(request, "reference-1");
  EXPECT_TRUE(open(*opener, answer).is_open);
  EXPECT_TRUE(open(*opener, answer).is_open);
  EXPECT_FALSE(open(*opener, answer_to(request, "reference-1", "v=2")).is_open);
}

TEST(Opener, KeysGoWithTheirTime) {
  OpenerMaterial from = material();
  from.cek_lifetime = 60;
  const auto opener = make(std::move(from));
  const e2m::Sealed request = sealed(names().gateway, "reference-1");
  ASSERT_TRUE(open(*opener, request.der).is_open);
  const std::string answer = answer_to(request, "reference-1");
  EXPECT_FALSE(open(*opener, answer, true, pair, now + 60).is_open);
  // A time that no clock shows is no harm.
  const auto reply = opener->handle(
      Open{.pair = pair, .der = request.der, .may_use_private_key = true, .now = ~0ULL});
  EXPECT_TRUE(std::get<Opened>(reply).is_open);
}

TEST(Opener, VerifiesWhoSigned) {
  const auto opener = make();
  const Verified attached = verify(*opener, signed_by(names().alice));
  EXPECT_EQ(attached.id, 8U);
  EXPECT_EQ(attached.finding, Finding::trusted);
  EXPECT_EQ(attached.content, content);
  EXPECT_THAT(attached.uris, ElementsAre("sip:alice@example.net"));
  EXPECT_EQ(attached.signer, names().alice.certificate.fingerprint());
  const Verified detached = verify(*opener, signed_by(names().alice, true), content);
  EXPECT_EQ(detached.finding, Finding::trusted);
  EXPECT_EQ(detached.content, "");
  EXPECT_EQ(detached.identity, attached.identity);
}

TEST(Opener, SaysWhyASignatureIsNotBelieved) {
  const auto opener = make();
  std::string broken = signed_by(names().alice);
  broken[broken.find("v=0")] = 'w';
  EXPECT_EQ(verify(*opener, broken).finding, Finding::bad_signature);
  EXPECT_EQ(verify(*opener, "").finding, Finding::unsupported);
  EXPECT_EQ(verify(*opener, sealed(names().gateway).der).finding, Finding::unsupported);
  EXPECT_EQ(verify(*opener, signed_by(names().mallory)).finding, Finding::untrusted);
  EXPECT_EQ(verify(*opener, signed_by(names().stale)).finding, Finding::expired);
  EXPECT_EQ(verify(*opener, signed_by(names().web)).finding, Finding::no_identity);
}

TEST(Opener, LooksAtRevocationListsAndPurposes) {
  OpenerMaterial listed = material();
  const std::vector<std::string> serials = {names().alice.serial};
  listed.revocation_lists = *names().authority.revocation_list(serials, valid);
  EXPECT_EQ(verify(*make(std::move(listed)), signed_by(names().alice)).finding, Finding::revoked);
  OpenerMaterial required = material();
  required.is_crl_required = true;
  EXPECT_EQ(verify(*make(std::move(required)), signed_by(names().alice)).finding,
            Finding::revocation_unknown);
  OpenerMaterial other = material();
  other.extended_key_usages = {e2m::purpose_sip_domain};
  EXPECT_EQ(verify(*make(std::move(other)), signed_by(names().alice)).finding, Finding::purpose);
  OpenerMaterial any = material();
  any.extended_key_usages = {};
  EXPECT_EQ(verify(*make(std::move(any)), signed_by(names().alice)).finding, Finding::trusted);
}

TEST(Opener, WithoutAuthoritiesNobodyIsTrusted) {
  OpenerMaterial from = material();
  from.authorities.clear();
  EXPECT_EQ(verify(*make(std::move(from)), signed_by(names().alice)).finding, Finding::untrusted);
}

TEST(Opener, NamesMaterialThatCantBeUsed) {
  const auto why = [](OpenerMaterial from) {
    const auto made = Opener::make(std::move(from));
    return made ? std::string("made") : made.error();
  };
  OpenerMaterial from = material();
  from.key = names().alice.key.pem();
  EXPECT_EQ(why(std::move(from)), "[smime] key: bad-key");
  from = material();
  from.key = "no key";
  EXPECT_EQ(why(std::move(from)), "[smime] key: bad-key");
  from = material();
  from.certificate = from.key;
  EXPECT_EQ(why(std::move(from)), "[smime] certificate: bad-certificate");
  from = material();
  from.authorities = from.key;
  EXPECT_THAT(why(std::move(from)), HasSubstr("[smime] ca, crl or eku: "));
}

// All of libcrypto that the work takes is there under the filter of the process.
TEST(Opener, WorksWithWhatTheFilterLeaves) {
  const e2m::Sealed request = sealed(names().gateway, "reference-1");
  const std::string answer = answer_to(request, "reference-1");
  const std::string by_alice = signed_by(names().alice), by_mallory = signed_by(names().mallory);
  EXPECT_EQ(test::in_child([&] {
              auto opener = make();
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              limit_system_calls_and_prove(filter_of_this_build());
              std::string text = open(*opener, request.der).content;
              text += open(*opener, answer).content;
              text += open(*opener, "x").is_open ? " open" : " closed ";
              text += to_string(verify(*opener, by_alice).finding);
              text += to_string(verify(*opener, by_mallory).finding);
              return text;
            }),
            content + "v=1 closed trusteduntrusted");
}

OpenerMaterial endpoint_material() {
  OpenerMaterial endpoint = material();
  endpoint.certificate = endpoint.key = {};
  endpoint.users = {
      {"sip:alice@example.net", names().alice.certificate.pem(), names().alice.key.pem()},
      {"sip:bob@example.net", names().bob.certificate.pem(), names().bob.key.pem()}};
  return endpoint;
}

opener::Seal seal_for(std::vector<std::string> recipients) {
  return {.id = 9,
          .pair = pair,
          .user = "sip:alice@example.net",
          .content = content,
          .recipients = std::move(recipients),
          .now = now};
}

opener::Sealed seal(Opener& opener, const opener::Seal& request) {
  return std::get<opener::Sealed>(opener.handle(request));
}

// What is inside a signed-data entity, when alice's signature holds.
std::string signed_content(const std::string& entity) {
  const auto verified =
      e2m::verify_signature(entity.substr(entity.find("\r\n\r\n") + 4), std::nullopt);
  EXPECT_TRUE(verified);
  return verified ? verified->content_of_anyone() : std::string();
}

TEST(Opener, SealsForRecipientsAndTheSender) {
  const auto endpoint = make(endpoint_material()), gateway = make();
  auto request = seal_for({names().bob.certificate.der(), names().gateway.certificate.der()});
  const auto for_others = seal(*endpoint, request);
  EXPECT_TRUE(for_others.is_done && for_others.is_sealed);
  EXPECT_EQ(signed_content(open(*gateway, for_others.der).content), content);
  const auto as_user = [&](const std::string& der, const std::string& user) {
    return std::get<Opened>(endpoint->handle(Open{
        .id = 7, .pair = pair, .user = user, .der = der, .may_use_private_key = true, .now = now}));
  };
  EXPECT_FALSE(as_user(for_others.der, "sip:alice@example.net").is_open);
  request.is_for_user = true;
  EXPECT_TRUE(as_user(seal(*endpoint, request).der, "sip:alice@example.net").is_open);
  // One user's key isn't another's, and nobody's is [smime]'s.
  EXPECT_TRUE(as_user(for_others.der, "sip:bob@example.net").is_open);
  EXPECT_FALSE(as_user(for_others.der, "").is_open);
  EXPECT_FALSE(as_user(for_others.der, "sip:carol@example.net").is_open);
}

TEST(Opener, SignsAloneWhenThereIsNobody) {
  const auto endpoint = make(endpoint_material()), gateway = make();
  auto request = seal_for({});
  request.is_for_user = true;
  request.kek_reference = "gone";
  const auto alone = seal(*endpoint, request);
  EXPECT_TRUE(alone.is_done);
  EXPECT_FALSE(alone.is_sealed);
  const Verified verified = verify(*gateway, alone.der);
  EXPECT_EQ(verified.finding, Finding::trusted);
  EXPECT_EQ(verified.content, content);
  EXPECT_EQ(verified.certificate, names().alice.certificate.der());
}

TEST(Opener, OfferedCeksKeyTheAnswer) {
  const auto alices = make(endpoint_material()), bobs = make(endpoint_material());
  auto request = seal_for({names().bob.certificate.der(), names().gateway.certificate.der()});
  request.cek_reference = "r1";
  const auto offer = seal(*alices, request);
  EXPECT_EQ(alices->kept_keys(), 1U);
  const auto opened = std::get<Opened>(bobs->handle(Open{.id = 1,
                                                         .pair = pair,
                                                         .user = "sip:bob@example.net",
                                                         .der = offer.der,
                                                         .may_use_private_key = true,
                                                         .now = now}));
  EXPECT_EQ(opened.cek_reference, "r1");
  auto answer = seal_for({});
  answer.kek_reference = "r1";
  const auto sealed_answer = seal(*bobs, answer);
  EXPECT_TRUE(sealed_answer.is_sealed);
  const auto read = std::get<Opened>(alices->handle(Open{.id = 2,
                                                         .pair = pair,
                                                         .user = "sip:alice@example.net",
                                                         .der = sealed_answer.der,
                                                         .now = now}));
  EXPECT_TRUE(read.is_open && read.by_kek);
  answer.pair = "sip:a@x sip:b@y";
  EXPECT_FALSE(seal(*bobs, answer).is_sealed);
}

TEST(Opener, SealsForNobodyItCannotRead) {
  const auto endpoint = make(endpoint_material());
  const opener::Sealed nothing{.id = 9};
  EXPECT_EQ(seal(*endpoint, seal_for({"x"})), nothing);
  auto request = seal_for({});
  request.user = "sip:carol@example.net";
  EXPECT_EQ(seal(*endpoint, request), nothing);
  request.user.clear(); // a gateway's key signs nothing
  EXPECT_EQ(seal(*make(), request), nothing);
  auto large = seal_for({});
  large.content.assign(opener::max_body, 'x');
  EXPECT_EQ(seal(*endpoint, large), nothing);
}

opener::CheckedCertificate check(Opener& opener, std::string der) {
  return std::get<opener::CheckedCertificate>(
      opener.handle(opener::CheckCertificate{.id = 3, .der = std::move(der), .now = now}));
}

TEST(Opener, ChecksCertificates) {
  const auto opener = make();
  const auto gateway = check(*opener, names().gateway.certificate.der());
  EXPECT_EQ(gateway.finding, Finding::trusted);
  EXPECT_THAT(gateway.dns_names, ElementsAre("gw.example.net"));
  const std::string alone[] = {names().alice.certificate.der()};
  const auto alice = check(*opener, e2m::write_certs_only(alone));
  EXPECT_EQ(alice.finding, Finding::trusted);
  EXPECT_EQ(alice.certificate, alone[0]);
  EXPECT_THAT(alice.uris, ElementsAre("sip:alice@example.net"));
  EXPECT_EQ(check(*opener, names().mallory.certificate.der()).finding, Finding::untrusted);
  EXPECT_EQ(check(*opener, names().stale.certificate.der()).finding, Finding::expired);
  EXPECT_EQ(check(*opener, "x").finding, Finding::unsupported);
  OpenerMaterial nobody = material();
  nobody.authorities.clear();
  EXPECT_EQ(check(*make(nobody), names().gateway.certificate.der()).finding, Finding::untrusted);
}

TEST(Opener, AUsersUnusableKeyIsNamed) {
  OpenerMaterial from = endpoint_material();
  from.users[1].key = names().alice.key.pem();
  const auto made = Opener::make(std::move(from));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error(), HasSubstr("[user sip:bob@example.net] key"));
  from = endpoint_material();
  from.users[1].address = "sip:carol@example.net";
  const auto other = Opener::make(std::move(from));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("[user sip:carol@example.net] certificate"));
}

} // namespace
} // namespace midcom
