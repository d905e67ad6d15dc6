// SPDX-License-Identifier: GPL-3.0-or-later
// One pass over the lines; every line goes to the function its type letter has in a table. The
// tables also give the order of RFC 8866 9: a line may not stand before one of a lower rank.
#include <algorithm>
#include <limits>
#include <utility>

#include "sip/sdp_attributes.h"
#include "sip/sdp_fields.h"

namespace midcom::sip {

namespace {

using Status = Result<void>;

// RFC 8866 9
constexpr CharSet protocol_chars(sdp_token_chars, "/");

bool names_key(std::string_view attribute) {
  return attribute == "crypto" || attribute == "key-mgmt";
}

// Keys also travel in attribute capabilities: "a=acap:1 crypto:..." (RFC 5939 3.4.1).
bool carries_key(const SdpAttribute& attribute) {
  if (names_key(attribute.name)) return true;
  if (attribute.name != "acap") return false;
  const std::size_t space = attribute.value.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view inner = attribute.value.substr(space + 1);
  return names_key(inner.substr(0, inner.find(':')));
}

} // namespace

class SdpParser {
public:
  explicit SdpParser(const SdpLimits& limits) : limits_(limits), sdp_(new Sdp) {}
  Result<SdpPtr> parse(std::string_view text, const NamedAddresses& names);

private:
  struct LineType {
    char letter;
    int rank; // 0: anywhere in its section
    bool is_single;
    Status (SdpParser::*read)(std::string_view value);
  };
  static const LineType session_lines[];
  static const LineType media_lines[];

  Status read_line(std::string_view line);
  Status read_value(char letter, std::string_view value);
  Status skip(std::string_view) { return {}; }
  Status version(std::string_view value);
  Status origin(std::string_view value);
  Status connection(std::string_view value);
  Status key(std::string_view);
  Status attribute(std::string_view value);
  Status media(std::string_view value);
  Status session_attribute(const SdpAttribute& attribute);
  Status group(std::string_view value);
  Status media_attribute(SdpMedia& media, const SdpAttribute& attribute);
  Status keep_direction(const SdpAttribute& attribute);
  Status finish();
  void pin(const NamedAddresses& names);

  const SdpLimits& limits_;
  std::shared_ptr<Sdp> sdp_;
  int rank_ = 0;                       // of the section's last line
  std::string_view expected_ = "vos";  // lines that must come next, in this order
  std::uint32_t singles_ = 0;          // letters of the section that may not come again
  std::optional<Direction> direction_; // of the section
  bool has_session_key_ = false;
  std::size_t lines_ = 0;
  std::size_t attributes_ = 0;
};

// RFC 8866 9. b= has no rank: no rule depends on it, and SDP edited by applications has it last.
const SdpParser::LineType SdpParser::session_lines[] = {
    {'i', 4, true, &SdpParser::skip},       {'u', 5, true, &SdpParser::skip},
    {'e', 6, false, &SdpParser::skip},      {'p', 7, false, &SdpParser::skip},
    {'c', 8, true, &SdpParser::connection}, {'b', 0, false, &SdpParser::skip},
    {'t', 9, false, &SdpParser::skip},      {'r', 9, false, &SdpParser::skip},
    {'z', 9, false, &SdpParser::skip},      {'k', 10, true, &SdpParser::key},
    {'a', 11, false, &SdpParser::attribute}};

const SdpParser::LineType SdpParser::media_lines[] = {{'i', 1, true, &SdpParser::skip},
                                                      {'c', 2, false, &SdpParser::connection},
                                                      {'b', 0, false, &SdpParser::skip},
                                                      {'k', 3, true, &SdpParser::key},
                                                      {'a', 4, false, &SdpParser::attribute}};

Result<SdpPtr> SdpParser::parse(std::string_view text, const NamedAddresses& names) {
  if (text.size() > limits_.size) return std::unexpected(Error::too_long);
  sdp_->text_ = text;
  std::string_view rest = sdp_->text_;
  while (rest.ends_with("\n\n") || rest.ends_with("\n\r\n"))
    rest.remove_suffix(rest.ends_with("\r\n") ? 2 : 1); // empty lines at the end
  while (!rest.empty()) {
    if (++lines_ > limits_.lines) return std::unexpected(Error::too_many);
    if (auto ok = read_line(next_line(rest)); !ok) return std::unexpected(ok.error());
  }
  if (auto ok = finish(); !ok) return std::unexpected(ok.error());
  if (!names.empty()) pin(names);
  return std::move(sdp_);
}

Status SdpParser::read_line(std::string_view line) {
  if (line.size() > limits_.line) return std::unexpected(Error::too_long);
  if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos)
    return std::unexpected(Error::control_character);
  if (line.size() < 2 || line[1] != '=' || !alpha_chars.has(line[0]))
    return std::unexpected(Error::syntax);
  return read_value(line[0], line.substr(2));
}

Status SdpParser::read_value(char letter, std::string_view value) {
  if (!expected_.empty()) {
    if (letter != expected_.front()) return std::unexpected(Error::syntax);
    expected_.remove_prefix(1);
    if (letter == 'v') return version(value);
    return letter == 'o' ? origin(value) : Status{};
  }
  if (letter == 'm') return media(value);
  const bool is_session = sdp_->media_.empty();
  const std::span<const LineType> types = is_session ? std::span<const LineType>(session_lines)
                                                     : std::span<const LineType>(media_lines);
  const auto type = std::ranges::find(types, letter, &LineType::letter);
  if (type == types.end()) {
    // Known letters have their place; another one is skipped (the header says so).
    constexpr std::string_view known = "vosiuepcbtrzkam";
    if (known.contains(letter)) return std::unexpected(Error::syntax);
    return {};
  }
  if (type->rank != 0) {
    if (type->rank < rank_) return std::unexpected(Error::syntax);
    rank_ = type->rank;
  }
  const std::uint32_t bit = 1U << static_cast<unsigned>(letter - 'a');
  if (type->is_single && (singles_ & bit) != 0) return std::unexpected(Error::syntax);
  singles_ |= bit;
  return (this->*type->read)(value);
}

Status SdpParser::version(std::string_view value) {
  if (value != "0") return std::unexpected(Error::bad_version);
  return {};
}

Status SdpParser::origin(std::string_view value) {
  Cursor cursor(value);
  std::string_view fields[6]; // username sess-id sess-version nettype addrtype address
  for (std::string_view& field : fields) {
    const auto next = next_field(cursor);
    if (!next) return std::unexpected(next.error());
    field = *next;
  }
  if (!cursor.at_end()) return std::unexpected(Error::syntax);
  const auto number = parse_number(fields[2], std::numeric_limits<std::uint64_t>::max());
  if (!number) return std::unexpected(number.error());
  sdp_->origin_ = value;
  sdp_->version_ = *number;
  return {};
}

Status SdpParser::connection(std::string_view value) {
  auto connection = parse_connection(value);
  if (!connection) return std::unexpected(connection.error());
  if (sdp_->media_.empty())
    sdp_->connection_ = *connection;
  else
    sdp_->media_.back().connections.push_back(*connection);
  return {};
}

Status SdpParser::key(std::string_view) {
  if (sdp_->media_.empty())
    has_session_key_ = true;
  else
    sdp_->media_.back().has_key_material = true;
  return {};
}

// Two directions in one section are no more than one (RFC 8866 6.7); which a reader would take is
// open, so neither is.
Status SdpParser::keep_direction(const SdpAttribute& attribute) {
  const auto direction = direction_named(attribute);
  if (!direction) return {};
  if (direction_ && *direction_ != *direction) return std::unexpected(Error::syntax);
  direction_ = direction;
  if (!sdp_->media_.empty()) sdp_->media_.back().direction = direction;
  return {};
}

Status SdpParser::attribute(std::string_view value) {
  if (++attributes_ > limits_.attributes) return std::unexpected(Error::too_many);
  const auto attribute = parse_attribute(value);
  if (!attribute) return std::unexpected(attribute.error());
  if (auto ok = keep_direction(*attribute); !ok) return ok;
  if (!sdp_->media_.empty()) return media_attribute(sdp_->media_.back(), *attribute);
  return session_attribute(*attribute);
}

Status SdpParser::session_attribute(const SdpAttribute& attribute) {
  has_session_key_ = has_session_key_ || carries_key(attribute);
  sdp_->attributes_.push_back(attribute);
  if (attribute.name == "group")
    if (auto ok = group(attribute.value); !ok) return ok;
  return read_attribute(sdp_->transport_, attribute);
}

// There are never more groups, nor more mids in one, than there may be m= lines.
Status SdpParser::group(std::string_view value) {
  auto group = parse_group(value);
  if (!group) return {};
  if (group->mids.size() > limits_.media || sdp_->groups_.size() >= limits_.media)
    return std::unexpected(Error::too_many);
  sdp_->groups_.push_back(std::move(*group));
  return {};
}

Status SdpParser::media_attribute(SdpMedia& media, const SdpAttribute& attribute) {
  media.attributes.push_back(attribute);
  media.has_key_material = media.has_key_material || carries_key(attribute);
  const bool had_mid = !media.mid.empty();
  if (auto ok = read_attribute(media, attribute); !ok) return ok;
  if (!had_mid && !media.mid.empty() && sdp_->find_mid(media.mid) != sdp_->media_.size() - 1)
    return std::unexpected(Error::syntax);
  if (media.candidates.size() > limits_.candidates) return std::unexpected(Error::too_many);
  return {};
}

// m=<media> <port>["/"<count>] <proto> 1*(SP <fmt>)
Status SdpParser::media(std::string_view value) {
  if (sdp_->media_.size() >= limits_.media) return std::unexpected(Error::too_many);
  Cursor cursor(value);
  const auto type = next_field(cursor);
  if (!type) return std::unexpected(type.error());
  const auto ports = next_field(cursor);
  if (!ports) return std::unexpected(ports.error());
  const auto protocol = next_field(cursor);
  if (!protocol) return std::unexpected(protocol.error());
  if (!consists_of(*type, sdp_token_chars) || !consists_of(*protocol, protocol_chars))
    return std::unexpected(Error::syntax);
  SdpMedia media;
  media.type = *type;
  media.protocol = *protocol;
  const std::size_t slash = std::min(ports->find('/'), ports->size());
  const auto port = parse_port(ports->substr(0, slash));
  if (!port) return std::unexpected(port.error());
  media.port = *port;
  if (slash != ports->size()) {
    const auto count = parse_number(ports->substr(slash + 1), 65535);
    if (!count || *count == 0) return std::unexpected(Error::bad_number);
    media.port_count = static_cast<std::uint32_t>(*count);
  }
  do {
    const auto format = next_field(cursor);
    if (!format) return std::unexpected(format.error());
    media.formats.push_back(*format);
    if (const auto number = parse_number(*format, 127)) media.payload_types.set(*number);
  } while (!cursor.at_end());
  sdp_->media_.push_back(std::move(media));
  rank_ = 0;
  singles_ = 0;
  direction_.reset();
  return {};
}

Status SdpParser::finish() {
  if (!expected_.empty()) return std::unexpected(Error::truncated);
  for (std::size_t index = 0; index < sdp_->media_.size(); ++index) {
    SdpMedia& media = sdp_->media_[index];
    media.has_key_material = media.has_key_material || has_session_key_;
    if (media.port != 0 && sdp_->connection_of(index) == nullptr)
      return std::unexpected(Error::bad_address);
  }
  return {};
}

void SdpParser::pin(const NamedAddresses& names) {
  sdp_->names_ = names;
  if (sdp_->connection_) sip::pin(*sdp_->connection_, names);
  for (SdpMedia& media : sdp_->media_) sip::pin(media, names);
}

Result<SdpPtr> Sdp::parse(std::string_view text, const SdpLimits& limits,
                          const NamedAddresses& names) {
  return SdpParser(limits).parse(text, names);
}

} // namespace midcom::sip
