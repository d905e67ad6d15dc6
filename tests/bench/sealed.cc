// SPDX-License-Identifier: GPL-3.0-or-later
// bench_sealed [--calls N] [--rounds N]: what reading a sealed call costs (the INVITE: scan,
// decryption by ECDH P-256, signature, chain, identity body; its 200 under the kept key),
// everything between the parse gate and what may be believed, the encoding between agent and opener
// included; against a loop that does the same operations by libcrypto and nothing else. One line of
// JSON.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509v3.h>

#include "daemon/agent_config.h"
#include "daemon/disclosure_run.h"
#include "daemon/opener.h"
#include "sip/e2m/cms_scan.h"
#include "sip/e2m/envelope.h"
#include "sip/transfer_encoding.h"
#include "tests/scenario/sealing.h"

namespace {

using namespace midcom;
namespace e2m = sip::e2m;

constexpr std::int64_t now = 1'796'000'000;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

scenario::Wire message(bool is_request) {
  scenario::Wire wire;
  wire.start_line = is_request ? "INVITE sip:bob@example.com SIP/2.0" : "SIP/2.0 200 OK";
  wire.add("Via", "SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK1");
  wire.add("Max-Forwards", "70");
  wire.add("From", "<sip:alice@example.com>;tag=a");
  wire.add("To", is_request ? "<sip:bob@example.com>" : "<sip:bob@example.com>;tag=b");
  wire.add("Call-ID", "bench");
  wire.add("CSeq", "1 INVITE");
  wire.add("Contact", "<sip:x@192.0.2.10>");
  wire.add("Content-Type", "application/sdp");
  wire.body = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
              "m=audio 40000 UDP/TLS/RTP/SAVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
              "a=setup:actpass\r\na=fingerprint:SHA-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:"
              "49:6B:19:E5:7C:AB:1A:2B:3C:4D:5E:6F:70:81:92:A3:B4:C5\r\n";
  return wire;
}

sip::MessagePtr parsed(const std::string& bytes) {
  auto result = sip::Message::parse(bytes, sip::Framing::stream, {});
  require(result.has_value(), "the message doesn't pass the gate");
  return *result;
}

// As the agent does it, with an opener behind the channel's encoding.
void read(const std::string& bytes, Opener& opener, const std::string& signer) {
  DisclosureTerms terms;
  terms.view = terms.verify = {"application/sdp"};
  terms.accepts_legacy = false;
  terms.is_label_believed = terms.has_identity = true;
  const std::vector<std::string> names{"gw.example.com"};
  DisclosureRun run(parsed(bytes), terms, names, {{signer}, {}}, now);
  while (auto question = run.next()) {
    if (auto* open = std::get_if<opener::Open>(&*question))
      open->pair = "sip:alice@example.com sip:bob@example.com";
    const auto request = opener::decode_request(
        std::visit([](const auto& q) { return opener::encode(opener::Request(q)); }, *question));
    const auto reply = opener::decode_reply(opener::encode(opener.handle(*request)));
    run.take(*reply);
  }
  const auto result = run.result();
  require(result.finding == Reason::none && result.signer && result.description,
          "a message isn't believed");
}

// The raw material of one message for the bare loop.
struct Bare {
  std::string envelope, signed_data;
  e2m::CmsScan scan;
  std::size_t recipient = 0;
  e2m::Secret cek, kek; // kek: of a message under a kept key
};

std::string body_of(const std::string& bytes) {
  return bytes.substr(bytes.find("\r\n\r\n") + 4);
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

e2m::Secret bare_unwrap(const e2m::Secret& kek, std::string_view wrapped) {
  e2m::Secret key(wrapped.size() - 8);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  int size = 0;
  std::array<unsigned char, 64> out{};
  const bool done =
      EVP_DecryptInit_ex(context, EVP_aes_128_wrap(), nullptr, kek.octets().data(), nullptr) == 1 &&
      EVP_DecryptUpdate(context, out.data(), &size, octets(wrapped),
                        static_cast<int>(wrapped.size())) == 1;
  EVP_CIPHER_CTX_free(context);
  require(done, "unwrap");
  std::copy_n(out.begin(), key.size(), key.octets().begin());
  return key;
}

void bare_gcm(const Bare& bare, const e2m::Secret& cek) {
  std::string content(bare.scan.encrypted_content.size(), '\0');
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int size = 0, last = 0;
  const bool done =
      EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), nullptr, cek.octets().data(),
                         octets(bare.scan.nonce)) == 1 &&
      EVP_DecryptUpdate(context, reinterpret_cast<unsigned char*>(content.data()), &size,
                        octets(bare.scan.encrypted_content),
                        static_cast<int>(content.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16,
                          const_cast<char*>(bare.scan.mac.data())) == 1 &&
      EVP_DecryptFinal_ex(context, reinterpret_cast<unsigned char*>(content.data()) + size,
                          &last) == 1;
  EVP_CIPHER_CTX_free(context);
  require(done, "GCM");
}

void bare_agree(const Bare& bare, EVP_PKEY* key) {
  const auto& recipient = bare.scan.recipients[bare.recipient];
  EVP_PKEY* peer = EVP_PKEY_new();
  EVP_PKEY_copy_parameters(peer, key);
  require(EVP_PKEY_set1_encoded_public_key(peer, octets(recipient.originator_point),
                                           recipient.originator_point.size()) == 1,
          "point");
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  std::array<unsigned char, 32> shared{};
  std::size_t size = shared.size();
  require(EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1 &&
              EVP_PKEY_derive(context, shared.data(), &size) == 1,
          "ECDH");
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_X963KDF, nullptr);
  EVP_KDF_CTX* derivation = EVP_KDF_CTX_new(kdf);
  std::array<unsigned char, 16> key_octets{};
  std::string digest = SN_sha256, info(30, 'i'); // as long as ECC-CMS-SharedInfo
  const std::array<OSSL_PARAM, 4> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared.data(), size),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  require(EVP_KDF_derive(derivation, key_octets.data(), key_octets.size(), parameters.data()) == 1,
          "KDF");
  EVP_KDF_CTX_free(derivation);
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(peer);
}

void bare_verify(const Bare& bare) {
  const unsigned char* cursor = octets(bare.signed_data);
  CMS_ContentInfo* cms =
      d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(bare.signed_data.size()));
  BIO* out = BIO_new(BIO_s_mem());
  require(CMS_verify(cms, nullptr, nullptr, nullptr, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) ==
              1,
          "CMS_verify");
  // Whose signature it is and what the certificate may be used for.
  STACK_OF(X509)* signers = CMS_get0_signers(cms);
  require(sk_X509_num(signers) == 1, "signer");
  X509* signer = sk_X509_value(signers, 0);
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(signer, NID_subject_alt_name, nullptr, nullptr));
  require(names != nullptr && X509_get_key_usage(signer) != 0, "certificate");
  GENERAL_NAMES_free(names);
  sk_X509_free(signers);
  BIO_free(out);
  CMS_ContentInfo_free(cms);
}

Bare bare_of(const std::string& bytes, const e2m::MadeCertificate* gateway, const Bare* request) {
  Bare bare;
  bare.envelope = body_of(bytes);
  const e2m::DecryptionKey key{gateway->certificate, gateway->key};
  const std::array keys{key};
  const auto opened = e2m::open_envelope(
      bare.envelope, keys,
      [&](std::string_view) -> std::optional<e2m::Secret> {
        return request != nullptr ? std::optional(e2m::kek_from_cek(request->cek)) : std::nullopt;
      },
      true);
  require(opened.has_value(), "the envelope can't be opened");
  bare.cek = opened->cek.clone();
  if (request != nullptr) bare.kek = e2m::kek_from_cek(request->cek);
  const auto entity = sip::parse_mime_entity(opened->content, {});
  require(entity.has_value(), "no entity");
  bare.signed_data = std::string(entity->body);
  return bare;
}

void scan(Bare& bare) {
  bare.scan = *e2m::scan_cms(bare.envelope, {});
  const auto& recipients = bare.scan.recipients;
  const auto kind =
      bare.kek.empty() ? e2m::RecipientScan::Kind::key_agree : e2m::RecipientScan::Kind::kek;
  bare.recipient = static_cast<std::size_t>(
      std::ranges::find_if(recipients, [&](const auto& r) { return r.kind == kind; }) -
      recipients.begin());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double timed(int calls, const std::function<void()>& call) {
  const double begin = cpu_seconds();
  for (int i = 0; i < calls; ++i) call();
  return (cpu_seconds() - begin) / calls;
}

// Of single attempts, in microseconds of wall clock: what somebody outside could measure.
void print_failures(scenario::Sealing& sealing, Opener& opener, int attempts) {
  const auto der_of = [&](const char* options) {
    auto wire = message(true);
    sealing.apply(wire, options, now);
    return wire.body;
  };
  std::string others = der_of("for=bob sign=alice cid=p@a");
  std::string bad_tag = der_of("for=gw,bob sign=alice cid=p@a damaged");
  std::string bad_key = der_of("for=gw,bob sign=alice cid=p@a");
  const auto scan = *e2m::scan_cms(bad_key, {});
  const auto& gateway = sealing.of("gw").certificate;
  const auto ours = std::ranges::find_if(scan.recipients, [&](const auto& recipient) {
    return recipient.identifier == gateway.issuer_and_serial() ||
           recipient.identifier == gateway.subject_key_identifier();
  });
  require(ours != scan.recipients.end(), "no recipient of ours");
  const auto wrapped = ours->encrypted_key;
  const auto at = static_cast<std::size_t>(wrapped.data() - bad_key.data());
  bad_key[at] = static_cast<char>(bad_key[at] ^ 1);
  const std::pair<const char*, std::string*> kinds[] = {
      {"not_ours", &others}, {"wrong_key", &bad_key}, {"bad_tag", &bad_tag}};
  std::vector<double> times[std::size(kinds)];
  for (int i = 0; i < attempts; ++i)
    for (std::size_t kind = 0; kind < std::size(kinds); ++kind) { // in turn: noise is everybody's
      opener::Open request{.pair = "sip:a@x sip:b@y",
                           .der = *kinds[kind].second,
                           .may_use_private_key = true,
                           .now = now};
      const auto begin = std::chrono::steady_clock::now();
      const auto reply = opener.handle(request);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      require(!std::get<opener::Opened>(reply).is_open, "it opens");
      times[kind].push_back(took.count());
    }
  std::printf("{");
  for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
    auto& sorted = times[kind];
    std::ranges::sort(sorted);
    const auto rank = [&](double share) {
      return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
    };
    std::printf("%s\"%s_us\": {\"p10\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f}",
                kind == 0 ? "" : ", ", kinds[kind].first, rank(0.1), rank(0.5), rank(0.9),
                rank(0.99));
  }
  std::printf("}\n");
}

int number_after(int argc, char** argv, const std::string& name, int otherwise) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == name) return std::atoi(argv[i + 1]);
  return otherwise;
}

void run(int calls, int rounds) {
  scenario::Sealing sealing;
  auto invite = message(true), answer = message(false);
  sealing.apply(invite, "for=gw,bob,alice sign=alice cid=p@a cek=r max=64", now);
  sealing.apply(answer, "for=alice sign=bob kek=r", now);
  const auto invite_bytes = invite.to_bytes(), answer_bytes = answer.to_bytes();
  AgentConfig config; // a gateway's
  auto opener = Opener::make(sealing.opener_material(config));
  require(opener.has_value(), "no opener");
  const auto& gateway = sealing.of("gw");
  Bare asked = bare_of(invite_bytes, &gateway, nullptr);
  Bare answered = bare_of(answer_bytes, &gateway, &asked);
  scan(asked);
  scan(answered);
  // What ECDH and its KDF give is known: the wrapped key is unwrapped by a key of the same size.
  const e2m::Secret wrap_key = answered.kek.clone();
  const auto whole = [&] {
    read(invite_bytes, **opener, "sip:alice@example.com");
    read(answer_bytes, **opener, "sip:bob@example.com");
  };
  const auto bare = [&] {
    bare_agree(asked, gateway.key.get());
    static_cast<void>(
        bare_unwrap(wrap_key, answered.scan.recipients[answered.recipient].encrypted_key));
    bare_gcm(asked, asked.cek);
    bare_verify(asked);
    static_cast<void>(
        bare_unwrap(answered.kek, answered.scan.recipients[answered.recipient].encrypted_key));
    bare_gcm(answered, answered.cek);
    bare_verify(answered);
  };
  std::vector<double> wholes, bares, shares;
  timed(calls / 4 + 1, whole);
  timed(calls / 4 + 1, bare);
  for (int round = 0; round < rounds; ++round) {
    wholes.push_back(timed(calls, whole));
    bares.push_back(timed(calls, bare));
    shares.push_back(1.0 - bares.back() / wholes.back());
  }
  std::printf("{\"sealed_calls_per_second_per_core\": %.0f, \"us_per_call\": %.1f, "
              "\"libcrypto_us_per_call\": %.1f, \"own_share\": %.3f, \"rounds\": %d}\n",
              1.0 / median(wholes), median(wholes) * 1e6, median(bares) * 1e6, median(shares),
              rounds);
  print_failures(sealing, **opener, calls * rounds);
}

} // namespace

int main(int argc, char** argv) {
  try {
    run(number_after(argc, argv, "--calls", 400), number_after(argc, argv, "--rounds", 9));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_sealed: %s\n", error.what());
    return 1;
  }
}
