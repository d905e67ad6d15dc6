// SPDX-License-Identifier: GPL-3.0-or-later
// The CMS bodies of the corpus through the scan and the opening. The manifest speaks of all of CMS;
// of what it calls fine this profile opens only authenticated envelopes.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <optional>

#include "sip/e2m/der.h"
#include "sip/e2m/envelope.h"
#include "tests/torture/corpus.h"

namespace midcom::torture {
namespace {

using sip::e2m::CmsKind;
using sip::e2m::DecryptionKey;
using sip::e2m::Error;
using sip::e2m::Secret;

constexpr std::array<std::string_view, 3> folders{"made-hostile-cms/", "openssl-cms/",
                                                  "rfc4134-cms/"};

// The octets of a PEM block; other octets as they are.
std::string without_armour(const std::string& octets) {
  BIO* text = BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size()));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  std::string der = octets;
  if (PEM_read_bio(text, &name, &header, &data, &size) == 1)
    der.assign(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  BIO_free(text);
  ERR_clear_error();
  return der;
}

// One BER element at `at` in DER: lengths definite, the pieces of [0] joined. For samples alone: it
// trusts what it reads.
std::string to_der(const std::string& ber, std::size_t& at) {
  const auto octet = [&] { return static_cast<std::uint8_t>(ber.at(at++)); };
  const std::uint8_t tag = octet();
  std::size_t length = octet();
  const bool is_indefinite = length == 0x80;
  if (length > 0x80) {
    const std::size_t count = length & 0x7fU;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8U | octet();
  }
  if (!is_indefinite && (tag & 0x20U) == 0) {
    at += length;
    return sip::e2m::write_der(tag, {std::string_view(ber).substr(at - length, length)});
  }
  const std::size_t end = is_indefinite ? ber.size() : at + length;
  std::string members;
  while (at < end && !(is_indefinite && ber.compare(at, 2, std::string(2, '\0')) == 0))
    members += to_der(ber, at);
  if (is_indefinite) at += 2;
  const auto piece = sip::e2m::read_single(members);
  if (tag == sip::e2m::der_constructed(0) && piece && piece->tag == sip::e2m::der_octet_string)
    return sip::e2m::write_der(sip::e2m::der_context(0), {piece->content});
  return sip::e2m::write_der(tag, {members});
}

// Key and identifier of OpenSSL's samples.
std::optional<Secret> sample_kek(std::string_view reference) {
  if (reference != "\xc0\xfe\xe0") return std::nullopt;
  return Secret::copy_of(std::string_view("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"
                                          "\x0e\x0f",
                                          16));
}

class CmsCorpus : public Corpus {
protected:
  [[nodiscard]] DecryptionKey key_of(const std::string& certificate, const std::string& key) const {
    return {sip::e2m::Certificate::from_pem(bytes_of_file(certificate)).value(),
            sip::e2m::PrivateKey::from_pem(bytes_of_file(key)).value()};
  }
  [[nodiscard]] std::vector<DecryptionKey> sample_keys() const {
    std::vector<DecryptionKey> keys{key_of("made-cms/mid.crt", "made-cms/mid.key")};
    for (const std::string name : {"smrsa1", "smec1"}) {
      const std::string file = "openssl-cms/smime-certs-" + name + ".pem";
      if (const auto key = sip::e2m::PrivateKey::from_pem(bytes_of_file(file)))
        keys.push_back({sip::e2m::Certificate::from_pem(bytes_of_file(file)).value(), *key});
    }
    return keys;
  }
};

TEST_F(CmsCorpus, NothingHostileOrLegacyOpens) {
  const std::vector<DecryptionKey> keys = sample_keys();
  std::size_t bodies = 0;
  for (const auto& row : rows_) {
    if (row.size() < Column::columns || row[Column::kind] != "cms") continue;
    const std::string& name = row[Column::file];
    if (std::none_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return name.starts_with(folder); }))
      continue;
    ++bodies;
    const std::string der = without_armour(bytes_of(row));
    const auto scan = sip::e2m::scan_cms(der, {});
    EXPECT_FALSE(sip::e2m::open_envelope(der, keys, sample_kek, true)) << name;
    const std::string& expected = row[Column::stream_expect];
    const bool is_refused = expected.find("REFUSE") != std::string::npos ||
                            expected.find("must refuse") != std::string::npos;
    if (is_refused) {
      EXPECT_FALSE(scan && scan->kind == CmsKind::signed_data) << name;
    }
  }
  EXPECT_GT(bodies, 30U);
}

TEST_F(CmsCorpus, EachIsRefusedForItsOwnReason) {
  const auto refusal = [&](const std::string& name) {
    const std::string der = without_armour(bytes_of_file(name));
    const auto scan = sip::e2m::scan_cms(der, {});
    EXPECT_FALSE(scan) << name;
    return scan ? Error::library : scan.error();
  };
  const std::string made = "made-hostile-cms/";
  EXPECT_EQ(refusal(made + "cekmax-2e31.der"), Error::cbc);
  EXPECT_EQ(refusal(made + "compressed.der"), Error::unsupported_type);
  EXPECT_EQ(refusal(made + "env-des.der"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal(made + "env-with-gcm.der"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal(made + "gcm-icv-255.der"), Error::bad_parameters);
  EXPECT_EQ(refusal(made + "gcm-iv-1000.der"), Error::bad_parameters);
  // Its tag is never reached: its recipient's KDF is the one with SHA-1.
  EXPECT_EQ(refusal(made + "gcm-tag4.der"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal(made + "indefinite-depth.der"), Error::malformed);
  EXPECT_EQ(refusal(made + "len-nonminimal.der"), Error::malformed);
  EXPECT_EQ(refusal(made + "trailing-garbage.der"), Error::malformed);
  EXPECT_EQ(refusal("made-cms/offer-cbc.der"), Error::cbc);
  EXPECT_EQ(refusal("made-cms/answer-cbc.der"), Error::cbc);
  EXPECT_EQ(refusal("openssl-cms/ciphertext_from_1_1_1.cms"), Error::malformed);
}

TEST_F(CmsCorpus, TheAnswerIsReadByTheCekOfTheOffer) {
  const DecryptionKey middle = key_of("made-cms/mid.crt", "made-cms/mid.key");
  const auto offer = sip::e2m::open_envelope(bytes_of_file("made-cms/offer-gcm.der"),
                                             std::span(&middle, 1), nullptr, true);
  ASSERT_TRUE(offer);
  EXPECT_TRUE(offer->cek_reference);
  EXPECT_EQ(offer->max_decrypts, 4U);
  const auto find = [&](std::string_view reference) -> std::optional<Secret> {
    if (reference != offer->cek_reference) return std::nullopt;
    return sip::e2m::kek_from_cek(offer->cek);
  };
  const auto answer =
      sip::e2m::open_envelope(bytes_of_file("made-cms/answer-gcm.der"), {}, find, false);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->by_kek);
  EXPECT_NE(answer->content.find("v=0"), std::string::npos);
  // The same for the far UA and the sender.
  for (const std::string name : {"uac", "uas"}) {
    const DecryptionKey key = key_of("made-cms/" + name + ".crt", "made-cms/" + name + ".key");
    const auto opened = sip::e2m::open_envelope(bytes_of_file("made-cms/offer-gcm.der"),
                                                std::span(&key, 1), nullptr, true);
    ASSERT_TRUE(opened) << name;
    EXPECT_TRUE(opened->cek == offer->cek);
  }
}

// The samples have indefinite lengths, which are refused. In DER the attributes must be covered.
TEST_F(CmsCorpus, AuthenticatedAttributesAreCovered) {
  for (const std::string name : {"authenveloped_attrs.pem", "bad_authenveloped_attrs.pem"}) {
    const std::string ber = without_armour(bytes_of_file("openssl-cms/" + name));
    EXPECT_EQ(sip::e2m::scan_cms(ber, {}).error(), Error::malformed);
    std::size_t at = 0;
    const std::string der = to_der(ber, at);
    const auto scan = sip::e2m::scan_cms(der, {});
    ASSERT_TRUE(scan) << name << " " << to_string(scan.error());
    EXPECT_FALSE(scan->authenticated_attributes.empty());
    const auto opened = sip::e2m::open_envelope(der, {}, sample_kek, false);
    EXPECT_EQ(opened.has_value(), name == "authenveloped_attrs.pem") << name;
  }
}

} // namespace
} // namespace midcom::torture
