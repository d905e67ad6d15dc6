// SPDX-License-Identifier: GPL-3.0-or-later
// The cursor of the CMS scan: a DerReader whose cursors over one message share one fault. The first
// fault stays; from then on every cursor is at its end and gives empty views, so that a grammar can
// be written down as it stands and be asked once, at the end, whether it held.
#pragma once

#include <optional>
#include <string_view>

#include "sip/e2m/der.h"

namespace midcom::sip::e2m {

using ScanFault = std::optional<Error>;

struct AlgorithmIdentifier {
  std::string_view algorithm;  // content octets of the OID
  std::string_view parameters; // the whole element; empty when there are none
  std::string_view whole;
};

class ScanCursor {
public:
  ScanCursor(std::string_view octets, ScanFault& fault) : reader_(octets), fault_(&fault) {}

  [[nodiscard]] bool at_end() const { return *fault_ || reader_.at_end(); }
  [[nodiscard]] bool stands_at(DerTag tag) const { return !*fault_ && reader_.stands_at(tag); }
  DerElement next();
  std::string_view take(DerTag tag);
  ScanCursor enter(DerTag tag);
  std::uint32_t take_number(std::uint32_t maximum, Error otherwise);
  AlgorithmIdentifier take_algorithm();
  // An OCTET STRING of least to most octets.
  std::string_view take_octets(std::size_t least, std::size_t most, Error otherwise);
  // SEQUENCE { issuer Name, serialNumber INTEGER }, whole.
  std::string_view take_issuer_and_serial();
  // Nothing may follow.
  void end();
  void require(bool holds, Error otherwise);
  [[nodiscard]] ScanFault& fault() { return *fault_; }

private:
  DerReader reader_;
  ScanFault* fault_;
};

} // namespace midcom::sip::e2m
