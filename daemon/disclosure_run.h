// SPDX-License-Identifier: GPL-3.0-or-later
// Takes one message's body apart, layer by layer, by asking an opener for each envelope and
// signature it may ask for (E2M.md 5, "cheap before dear"). No I/O, no clock: whoever runs it hands
// its questions on and brings the replies back.
//
// An *entity* is a MIME entity that was read whole: the message's body, or what an envelope or a
// signature contained.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/disclosure.h"
#include "daemon/opener_messages.h"
#include "sip/aib.h"
#include "sip/message.h"
#include "sip/mime.h"

namespace midcom {

class DisclosureRun {
public:
  struct Expected { // whose signature counts
    // Addresses of record; empty: whoever is trusted.
    std::vector<std::string> signers;
    std::string domain; // of the signer, instead of `signers`; empty: any
  };

  // `names` are the own ones a label may name; `now` is in seconds since the epoch.
  DisclosureRun(sip::MessagePtr message, DisclosureTerms terms, std::span<const std::string> names,
                Expected expected, std::int64_t now);

  // The next question for an opener (`id`, `pair` and `now` are left to the asker); empty: there is
  // none, see result(). One question is out at a time.
  using Asked = std::variant<opener::Open, opener::Verify>;
  [[nodiscard]] std::optional<Asked> next();
  void take(const opener::Reply& reply);
  // No opener could be asked: whatever depended on it can't be read.
  void take_failure();
  [[nodiscard]] Disclosure result();

  static constexpr std::size_t max_questions = 8; // envelopes and signatures of one message

private:
  using Envelopes = std::vector<std::size_t>; // those around something, by number, outermost first
  struct Signature {
    std::vector<std::string> uris;
    std::array<std::uint8_t, 32> digest{};
    std::optional<sip::Aib> aib;
    Envelopes around_aib;
    bool has_two_aibs = false;
    std::string certificate{};
  };
  struct Label {
    std::vector<std::string> content_ids;
    std::vector<bool> is_met; // for each
  };
  struct Cursor { // how far a label has been followed
    std::size_t label = 0, next = 0;
  };
  static constexpr std::size_t decoded_limit = 65536; // octets of one part
  static constexpr std::string_view sdp_type = "application/sdp";
  static constexpr std::size_t unsigned_body = static_cast<std::size_t>(-1);
  struct Context {
    Envelopes envelopes;
    std::size_t signature = unsigned_body; // the innermost one around; index in signatures_
    std::vector<Cursor> cursors;           // labels that may name something here
    bool is_labelled = false;              // the part itself
    bool is_aside = false;   // beside the root of multipart/related, or an alternative not taken
    bool is_content = false; // all of what an envelope or a signature held, but an identity body
  };
  struct Question {
    enum class Kind : std::uint8_t { open, verify_attached, verify_detached } kind;
    std::string der;
    std::string_view content; // verify_detached: the first part
    const sip::MimePart* part = nullptr;
    bool may_use_private_key = false, is_labelled = false;
    Context context;
    bool is_optional = false; // it matters to nobody when it can't be opened
  };
  struct Leaf {
    std::string type, text;
    Context context;
    bool is_description = false; // the session's
    std::optional<VerifiedSigner> signer{};
  };

  struct Content { // what somebody signed or sealed, as it was before
    const sip::MimePart* part;
    Context context;
  };

  void read_body();
  void read_entity(std::string bytes, Context context);
  void walk(const sip::MimePart& part, Context context);
  void follow_labels(const sip::MimePart& part, Context& context);
  void walk_content(const sip::MimePart& part, const Context& context);
  void walk_alternatives(const sip::MimePart& part, const Context& context);
  void walk_related(const sip::MimePart& part, const Context& context);
  void walk_signed(const sip::MimePart& part, const Context& context);
  void walk_cms(const sip::MimePart& part, const Context& context);
  void walk_envelope(const sip::MimePart& part, const Context& context);
  void take_aib(const sip::MimePart& part, const Context& context);
  void take_leaf(const sip::MimePart& part, const Context& context);
  void ask(Question question);
  void take_opened(const Question& question, const opener::Opened& reply);
  void take_verified(const Question& question, const opener::Verified& reply);
  [[nodiscard]] bool has_seen(std::string_view type) const;
  [[nodiscard]] bool wants_signatures() const {
    return !terms_.verify.empty() || is_labelled_ || terms_.is_recipient;
  }
  [[nodiscard]] bool looks_inside() const {
    return !terms_.view.empty() || terms_.looks_for_description || terms_.is_recipient;
  }
  [[nodiscard]] bool is_label_unmet() const;
  void note(Reason finding, std::string_view lacking = {});

  [[nodiscard]] Reason judge(const Signature& signature, const Envelopes& around) const;
  [[nodiscard]] std::optional<std::string> believed_uri(const Signature& signature) const;
  void judge_view();
  void judge_signatures();
  [[nodiscard]] VerifiedSigner take_signer(const Signature& signature); // which judge() believes
  void choose_description();
  [[nodiscard]] bool are_signed_alike(const Content& one, const Content& other) const;
  void judge_contents();
  void choose_content();

  const sip::MessagePtr message_;
  const DisclosureTerms terms_;
  const Expected expected_;
  const std::int64_t now_;
  std::vector<Label> labels_; // those that name us
  bool is_labelled_ = false;
  // Everything read, kept for the views of the trees.
  std::deque<std::string> texts_;
  std::deque<sip::MimePart> trees_;
  std::deque<Question> questions_;
  std::deque<Question> spare_; // envelopes that no label names
  std::optional<Question> asked_;
  std::size_t asked_count_ = 0;
  std::vector<Signature> signatures_;
  std::vector<Leaf> leaves_;
  std::vector<Content> contents_;
  std::size_t envelopes_met_ = 0;
  bool is_undecipherable_ = false; // an envelope that a label gives us
  bool is_opaque_ = false;         // one that nobody gives us
  Reason signature_fault_ = Reason::none;
  Disclosure result_;
};

} // namespace midcom
