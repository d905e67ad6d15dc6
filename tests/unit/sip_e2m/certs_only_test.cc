// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/certs_only.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {
namespace {

using ::testing::ElementsAre;

const std::string one("\x30\x03\x02\x01\x05", 5), other("\x30\x00", 2);

std::string signed_data(const std::string& content, const std::string& list,
                        const std::string& signers) {
  const std::string data = write_der(
      der_sequence, {write_der_number(1), write_der(der_set, {}), content, list, signers});
  return write_der(der_sequence,
                   {write_der(der_oid, {oid::signed_data}), write_der(der_constructed(0), {data})});
}

const std::string no_content = write_der(der_sequence, {write_der(der_oid, {oid::data})});
const std::string nobody = write_der(der_set, {});

TEST(CertsOnly, GoesThereAndBack) {
  const std::string both[] = {one, other};
  EXPECT_THAT(*read_certs_only(write_certs_only(both)), ElementsAre(one, other));
  EXPECT_EQ(write_certs_only(both),
            signed_data(no_content, write_der(der_constructed(0), {one, other}), nobody));
}

TEST(CertsOnly, OtherFormsAndListsAreSkipped) {
  const std::string attribute = write_der(der_constructed(2), {other});
  const std::string list =
      write_der(der_constructed(0), {attribute, one}) + write_der(der_constructed(1), {other});
  EXPECT_THAT(*read_certs_only(signed_data(no_content, list, nobody)), ElementsAre(one));
}

TEST(CertsOnly, IsNothingElse) {
  const std::string list = write_der(der_constructed(0), {one});
  const std::string content = write_der(
      der_sequence, {write_der(der_oid, {oid::data}),
                     write_der(der_constructed(0), {write_der(der_octet_string, {"x"})})});
  EXPECT_EQ(read_certs_only(signed_data(content, list, nobody)).error(), Error::unsupported_type);
  EXPECT_EQ(read_certs_only(signed_data(no_content, list, write_der(der_set, {other}))).error(),
            Error::unsupported_type);
  EXPECT_FALSE(read_certs_only(signed_data(no_content, "", nobody)));
  EXPECT_FALSE(read_certs_only(signed_data(no_content, write_der(der_constructed(0), {}), nobody)));
  EXPECT_FALSE(read_certs_only(signed_data(no_content, list, nobody) + "x"));
  EXPECT_FALSE(read_certs_only(one));
}

TEST(CertsOnly, EveryBeginningIsRefused) {
  const std::string both[] = {one, other};
  const std::string whole = write_certs_only(both);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_certs_only(whole.substr(0, size))) << size;
}

TEST(CertsOnly, TooManyAreRefused) {
  const std::vector<std::string> many(most_certs_only + 1, one);
  EXPECT_EQ(read_certs_only(write_certs_only(many)).error(), Error::too_many);
}

} // namespace
} // namespace midcom::sip::e2m
