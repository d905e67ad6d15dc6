// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/tampering.h"

#include <functional>

#include "sip/e2m/der.h"

namespace midcom::scenario {

namespace {

using namespace sip::e2m;

// Writes the ContentInfo again with each member of the AuthEnvelopedData as `change` returns it.
std::string rewritten(const std::string& der,
                      const std::function<std::string(const DerElement&)>& change) {
  DerReader info = DerReader(der).enter(der_sequence).value();
  const auto type = info.next().value();
  DerReader content = info.enter(der_constructed(0)).value();
  DerReader members = content.enter(der_sequence).value();
  std::string changed;
  while (!members.at_end()) changed += change(members.next().value());
  return write_der(der_sequence, {type.whole, write_der(der_constructed(0),
                                                        {write_der(der_sequence, {changed})})});
}

} // namespace

std::string with_recipients(const std::string& der, std::size_t count) {
  return rewritten(der, [&](const DerElement& member) {
    if (member.tag != der_set) return std::string(member.whole);
    const auto first = DerReader(member.content).next().value();
    std::string many;
    for (std::size_t i = 0; i < count; ++i) many += first.whole;
    return write_der(der_set, {many});
  });
}

std::string with_short_tag(const std::string& der, std::size_t octets) {
  return rewritten(der, [&](const DerElement& member) {
    if (member.tag != der_octet_string) return std::string(member.whole);
    return write_der(der_octet_string, {member.content.substr(0, octets)});
  });
}

std::string nested(std::string entity, std::size_t depth) {
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string name = "b" + std::to_string(i) + "e";
    entity = "Content-Type: multipart/mixed; boundary=" + name + "\r\n\r\n--" + name + "\r\n" +
             entity + "\r\n--" + name + "--\r\n";
  }
  return entity;
}

} // namespace midcom::scenario
