// SPDX-License-Identifier: GPL-3.0-or-later
// application/trickle-ice-sdpfrag (RFC 8840 9): candidates that follow a description in INFO
// requests. Each body repeats those of all before it, in whatever order they arrive.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/sdp.h"

namespace midcom::sip {

// One pseudo m= line.
struct TrickledMedia {
  std::string_view type;
  std::string_view mid; // "" for none
  SdpTransport transport;
  std::vector<SdpCandidate> candidates;
};

class TrickleFragment {
public:
  // As Sdp::parse: strict in structure, other attributes and candidates that can't be read are left
  // out. Nothing but a= may stand before the first m=, and nothing but a= and m= behind it. Text is
  // owned by the result.
  [[nodiscard]] static Result<std::shared_ptr<const TrickleFragment>>
  parse(std::string_view text, const SdpLimits& limits);
  TrickleFragment(const TrickleFragment&) = delete;
  TrickleFragment& operator=(const TrickleFragment&) = delete;

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::span<const TrickledMedia> media() const { return media_; }
  [[nodiscard]] std::string_view ice_ufrag_of(std::size_t index) const;

  // The section about an m= line of the description: by mid, or by place where neither the line nor
  // the section has one; nullptr when there is none, or when its ICE user name is another one: it
  // belongs to another generation (RFC 8840 4.3).
  [[nodiscard]] const TrickledMedia* find(const Sdp& sdp, std::size_t index) const;

private:
  TrickleFragment() = default;
  std::string text_;
  SdpTransport transport_;
  std::vector<TrickledMedia> media_;
  friend class TrickleParser;
};

using TrickleFragmentPtr = std::shared_ptr<const TrickleFragment>;

} // namespace midcom::sip
