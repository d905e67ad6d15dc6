// SPDX-License-Identifier: GPL-3.0-or-later
// Makes a sealed message of a plain one by asking an opener for what needs keys: the description
// without its keys for the far end and the middles, the whole one for the far end alone (E2M.md 1,
// 6). No I/O, no clock: whoever runs it hands its questions on and brings the replies back.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/endpoint_dialogs.h"
#include "daemon/opener_messages.h"
#include "daemon/reasons.h"
#include "sip/inspect_body.h"
#include "sip/message.h"
#include "sip/mime_writer.h"

namespace midcom {

struct SealTerms {
  std::string user;            // who signs: address of record
  std::string far_certificate; // DER; empty: unknown
  std::vector<Middle> middles; // each gets a label
  std::string kek_reference;   // of what the far end offered; empty: nothing
  bool requires_seal = false;  // signed alone is not enough
};

class SealRun {
public:
  using Token = std::function<std::string()>; // unpredictable, of letters and digits

  // The Date becomes `now`, in seconds since the epoch: phones' clocks are not to be relied on.
  SealRun(const sip::MessagePtr& message, SealTerms terms, const Token& token, std::int64_t now);

  // The next question for an opener (`id` and `pair` are left to the asker); empty: there is none,
  // see result(). One question is out at a time.
  [[nodiscard]] std::optional<opener::Seal> next();
  void take(const opener::Sealed& reply);
  void take_failure(); // no opener could be asked
  [[nodiscard]] std::expected<sip::MessagePtr, Reason> result() const;
  [[nodiscard]] bool is_sealed() const { return is_sealed_; }

private:
  struct Part {
    opener::Seal question;
    std::string content_id, der;
  };
  void prepare(const Token& token);
  [[nodiscard]] std::optional<opener::Seal> question_for(const sip::MimeEntity& body,
                                                         bool is_shared, const Token& token) const;
  [[nodiscard]] std::optional<sip::MimeEntity> root() const;
  void fail(Reason reason);

  sip::MessagePtr message_; // without a Date
  const SealTerms terms_;
  const std::int64_t now_;
  std::string boundary_;
  std::vector<sip::InspectBody> labels_;
  std::vector<Part> parts_; // shared, then private
  std::size_t done_ = 0;
  bool is_asked_ = false, is_sealed_ = false;
  Reason failure_ = Reason::none;
};

// Whether a body has been sealed or signed by who sends it.
[[nodiscard]] bool is_smime(const sip::Message& message);
// Octets that were parsed before and grew since: no limit but the message's own shape.
[[nodiscard]] sip::MessagePtr parse_own(std::string bytes);

} // namespace midcom
