// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trickle_ice.h"

#include <algorithm>

#include "sip/sdp_attributes.h"
#include "sip/sdp_fields.h"

namespace midcom::sip {

namespace {

using Status = Result<void>;

} // namespace

class TrickleParser {
public:
  explicit TrickleParser(const SdpLimits& limits)
      : limits_(limits), fragment_(new TrickleFragment) {}
  Result<TrickleFragmentPtr> parse(std::string_view text);

private:
  Status read_line(std::string_view line);
  Status attribute(std::string_view value);
  Status media_attribute(TrickledMedia& media, const SdpAttribute& attribute);
  Status media(std::string_view value);

  const SdpLimits& limits_;
  std::shared_ptr<TrickleFragment> fragment_;
  std::size_t lines_ = 0;
  std::size_t attributes_ = 0;
};

Result<TrickleFragmentPtr> TrickleParser::parse(std::string_view text) {
  if (text.size() > limits_.size) return std::unexpected(Error::too_long);
  fragment_->text_ = text;
  std::string_view rest = fragment_->text_;
  while (!rest.empty()) {
    if (++lines_ > limits_.lines) return std::unexpected(Error::too_many);
    if (auto ok = read_line(next_line(rest)); !ok) return std::unexpected(ok.error());
  }
  return std::move(fragment_);
}

Status TrickleParser::read_line(std::string_view line) {
  if (line.size() > limits_.line) return std::unexpected(Error::too_long);
  if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos)
    return std::unexpected(Error::control_character);
  if (line.starts_with("a=")) return attribute(line.substr(2));
  if (line.starts_with("m=")) return media(line.substr(2));
  return std::unexpected(Error::syntax);
}

// RFC 8840 9.2: names count in either case.
Status TrickleParser::attribute(std::string_view value) {
  if (++attributes_ > limits_.attributes) return std::unexpected(Error::too_many);
  auto attribute = parse_attribute(value);
  if (!attribute) return std::unexpected(attribute.error());
  std::string lower(attribute->name);
  std::ranges::transform(lower, lower.begin(), to_lower);
  attribute->name = lower;
  if (!fragment_->media_.empty()) return media_attribute(fragment_->media_.back(), *attribute);
  return read_attribute(fragment_->transport_, *attribute);
}

// Reads into an m= line of a description and keeps what counts here. A mid may stand once.
Status TrickleParser::media_attribute(TrickledMedia& media, const SdpAttribute& attribute) {
  SdpMedia read;
  read.mid = media.mid;
  read.transport = media.transport;
  if (attribute.name == "rtcp") return {};
  if (auto ok = read_attribute(read, attribute); !ok) return ok;
  const auto has_mid = [&](const TrickledMedia& one) { return one.mid == read.mid; };
  if (media.mid.empty() && !read.mid.empty() && std::ranges::any_of(fragment_->media_, has_mid))
    return std::unexpected(Error::syntax);
  media.mid = read.mid;
  media.transport = read.transport;
  if (!read.candidates.empty()) media.candidates.push_back(read.candidates.front());
  if (media.candidates.size() > limits_.candidates) return std::unexpected(Error::too_many);
  return {};
}

// The port is 9 and means nothing; what follows is not read.
Status TrickleParser::media(std::string_view value) {
  if (fragment_->media_.size() >= limits_.media) return std::unexpected(Error::too_many);
  Cursor cursor(value);
  const auto type = next_field(cursor);
  if (!type) return std::unexpected(type.error());
  if (!consists_of(*type, sdp_token_chars)) return std::unexpected(Error::syntax);
  fragment_->media_.emplace_back().type = *type;
  return {};
}

Result<TrickleFragmentPtr> TrickleFragment::parse(std::string_view text, const SdpLimits& limits) {
  return TrickleParser(limits).parse(text);
}

std::string_view TrickleFragment::ice_ufrag_of(std::size_t index) const {
  if (index >= media_.size()) return {};
  const std::string_view own = media_[index].transport.ice_ufrag;
  return own.empty() ? transport_.ice_ufrag : own;
}

const TrickledMedia* TrickleFragment::find(const Sdp& sdp, std::size_t index) const {
  if (index >= sdp.media().size() || !sdp.has_ice(index)) return nullptr;
  const std::string_view mid = sdp.media()[index].mid;
  std::size_t place = index;
  if (!mid.empty()) {
    const auto found = std::ranges::find(media_, mid, &TrickledMedia::mid);
    place = static_cast<std::size_t>(found - media_.begin());
  }
  if (place >= media_.size() || media_[place].mid != mid) return nullptr;
  return ice_ufrag_of(place) == sdp.ice_ufrag_of(index) ? &media_[place] : nullptr;
}

} // namespace midcom::sip
