// SPDX-License-Identifier: GPL-3.0-or-later
// The corpus of end-to-middle messages through the reading of bodies, with the corpus's own keys:
// as the middle that it names, whose policy is to see session descriptions.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "daemon/disclosure_run.h"
#include "daemon/opener.h"
#include "tests/torture/corpus.h"

namespace midcom::torture {
namespace {

class DisclosureCorpus : public Corpus {
protected:
  void SetUp() override {
    Corpus::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    OpenerMaterial material;
    material.certificate = bytes_of_file("made-cms/mid.crt");
    material.key = bytes_of_file("made-cms/mid.key");
    material.authorities = bytes_of_file("made-cms/uac.crt");
    auto made = Opener::make(std::move(material));
    ASSERT_TRUE(made) << made.error();
    opener_ = *std::move(made);
  }
  Disclosure read(const std::string& name) {
    const auto message =
        sip::Message::parse(bytes_of_file("made-e2m/" + name + ".sip"), sip::Framing::datagram, {});
    EXPECT_TRUE(message) << name << " " << (message ? "" : to_string(message.error()));
    if (!message) return {};
    DisclosureRun run(*message, terms_, names_, {}, 1'800'000'000);
    while (auto question = run.next()) {
      if (auto* open = std::get_if<opener::Open>(&*question)) open->pair = "a b";
      run.take(std::visit([&](const auto& q) { return opener_->handle(q); }, *question));
    }
    return run.result();
  }
  std::unique_ptr<Opener> opener_;
  DisclosureTerms terms_ = [] {
    DisclosureTerms terms;
    terms.view = {"application/sdp"};
    terms.is_label_believed = terms.has_identity = terms.looks_for_description = true;
    return terms;
  }();
  const std::vector<std::string> names_{"ss1.atlanta.example.com"};
};

// What the manifest asks of the middle. Where it leaves the choice: either.
struct Row {
  const char* name;
  Expectation expected;
  const char* described; // part of the description; empty: there is none
};
constexpr Row rows[] = {
    {"495-response", Expectation::accept, ""},
    {"496-response", Expectation::accept, ""},
    {"invite-clear-signed", Expectation::accept, "IN IP4 192.0.2.101"},
    {"invite-decrypted-not-sdp", Expectation::reject, ""},
    {"invite-draft-example-form", Expectation::accept, "IN IP4 192.0.2.101"},
    {"invite-e2e-only", Expectation::reject, ""},
    {"invite-e2e-only-labelled", Expectation::reject, ""},
    {"invite-host-case", Expectation::accept, "IN IP4 192.0.2.101"},
    {"invite-key-leaked", Expectation::accept, "a=crypto:"}, // the firewall's to refuse
    {"invite-nested-deep", Expectation::either, ""},
    {"invite-no-header", Expectation::either, ""},
    {"invite-separate", Expectation::accept, "IN IP4 192.0.2.101"},
    {"invite-separate-draft-handling", Expectation::accept, "IN IP4 192.0.2.101"},
    {"invite-shared-cekref", Expectation::accept, "IN IP4 192.0.2.101"},
    // Needs the key of the one before.
    {"200-kekreuse", Expectation::accept, "IN IP4 192.0.2.201"},
    {"invite-sign-then-encrypt", Expectation::accept, ""},
    {"invite-two-proxies", Expectation::accept, "IN IP4 192.0.2.101"},
    {"message-shared", Expectation::accept, ""},
};

TEST_F(DisclosureCorpus, EachIsReadAsTheManifestSays) {
  for (const Row& row : rows) {
    const auto body = read(row.name);
    const bool is_accepted = body.finding == Reason::none;
    judge(std::string("made-e2m/") + row.name + ".sip disclosure", row.expected, is_accepted);
    EXPECT_EQ(body.description.has_value(), row.described[0] != '\0') << row.name;
    if (body.description) {
      EXPECT_NE(body.description->find(row.described), std::string::npos) << row.name;
      EXPECT_TRUE(is_accepted) << row.name;
    }
  }
  check_argued();
}

TEST_F(DisclosureCorpus, TheManifestHasNoOthers) {
  for (const auto& line : rows_) {
    if (line.size() < Column::columns || !line[Column::file].starts_with("made-e2m/")) continue;
    const std::string& file = line[Column::file];
    EXPECT_TRUE(std::ranges::any_of(rows, [&](const Row& row) {
      return file == std::string("made-e2m/") + row.name + ".sip";
    })) << file;
  }
}

TEST_F(DisclosureCorpus, WhatIsSealedForOthersCostsNothingUnasked) {
  read("invite-e2e-only");
  read("invite-no-header");
  EXPECT_EQ(opener_->private_key_operations(), 0U);
  read("invite-e2e-only-labelled");
  EXPECT_EQ(opener_->private_key_operations(), 1U);
  read("invite-separate"); // the far side's part is not asked for
  EXPECT_EQ(opener_->private_key_operations(), 2U);
}

// The signatures of the corpus are good and trusted; what they lack is the identity body.
TEST_F(DisclosureCorpus, SignaturesVerify) {
  terms_.verify = {"application/sdp"};
  EXPECT_EQ(read("invite-clear-signed").finding, Reason::aib_missing);
  EXPECT_EQ(read("invite-sign-then-encrypt").finding, Reason::aib_missing);
  EXPECT_EQ(read("invite-shared-cekref").finding, Reason::signature_required);
}

} // namespace
} // namespace midcom::torture
