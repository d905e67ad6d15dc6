// SPDX-License-Identifier: GPL-3.0-or-later
// What follows from the descriptions of the corpus: the flows that RFC 4317's expectations state,
// what hostile descriptions get, and for all of them nothing that they don't name.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "sip/media_plan.h"
#include "tests/torture/corpus.h"
#include "tests/torture/table.h"

namespace midcom::torture {
namespace {

using namespace sip;

// "192.0.2.101:49170-49171 198.51.100.201:49174-49175" as the expectations have it; "- -" for none.
std::string ranges_of(const MediaPlan& plan, std::size_t stream, bool caller_is_inside) {
  std::string ends[2] = {"-", "-"};
  for (const MediaFlow& flow : plan.flows) {
    if (flow.stream != stream) continue;
    const Endpoint both[2] = {caller_is_inside ? flow.caller : flow.callee,
                              caller_is_inside ? flow.callee : flow.caller};
    for (int end = 0; end < 2; ++end) {
      if (flow.component == Component::rtp)
        ends[end] = both[end].to_string();
      else
        ends[end] += "-" + std::to_string(both[end].port);
    }
  }
  return ends[0] + " " + ends[1];
}

class MediaCorpus : public Corpus {
protected:
  // Null when the corpus keeps the file back.
  [[nodiscard]] SdpPtr description(const std::string& name) const {
    const bool is_there =
        std::ranges::any_of(rows_, [&](const auto& row) { return row.at(Column::file) == name; });
    if (!is_there) return nullptr;
    const auto sdp = Sdp::parse(bytes_of_file(name), {});
    EXPECT_TRUE(sdp.has_value()) << name;
    return sdp ? *sdp : nullptr;
  }
  [[nodiscard]] SessionPair exchange_of(const std::string& section,
                                        const std::string& number) const;
};

// Offer and answer of "rfc4317-oa/2.1", "1".
SessionPair MediaCorpus::exchange_of(const std::string& section, const std::string& number) const {
  const std::string second = number == "2" ? "second-" : "";
  return {description(section + "-" + number + "a-" + second + "offer.sdp"),
          description(section + "-" + number + "b-" + second + "answer.sdp"), Party::caller};
}

TEST_F(MediaCorpus, FlowsOfRfc4317) {
  std::size_t stated = 0;
  for (const auto& row : rows_) {
    const std::string& name = row.at(Column::file);
    if (!name.starts_with("rfc4317-oa/") || !name.ends_with("-expect.tsv")) continue;
    const std::string section = name.substr(0, name.find("-expect"));
    std::istringstream lines(bytes_of_file(name));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('#')) continue;
      std::istringstream fields(line);
      std::string number, kind, inside, outside;
      std::size_t stream = 0;
      fields >> number >> stream >> kind >> inside >> outside;
      const SessionPair pair = exchange_of(section, number);
      if (!pair.caller || !pair.callee) continue;
      ++stated;
      const bool caller_is_inside = pair.caller->origin().ends_with(" 192.0.2.101");
      EXPECT_EQ(ranges_of(plan_media(pair), stream, caller_is_inside), inside + " " + outside)
          << name << " " << line;
    }
  }
  EXPECT_GT(stated, 10U);
  RecordProperty("flows", static_cast<int>(stated));
}

using Named = std::set<std::pair<MediaTransport, Endpoint>>;

Named names_of(const Sdp& sdp) {
  Named all;
  auto addresses = receive_addresses(sdp);
  std::ranges::move(candidate_addresses(sdp), std::back_inserter(addresses));
  for (const ReceiveAddress& one : addresses)
    if (one.address && !one.is_hold) all.insert({one.transport, {*one.address, one.port}});
  return all;
}

// As an offer, and as the answer to itself.
TEST_F(MediaCorpus, NothingThatTheDescriptionDoesNotName) {
  std::size_t planned = 0;
  for (const auto& row : rows_) {
    if (row.size() < Column::columns || row[Column::kind] != "sdp") continue;
    const auto sdp = Sdp::parse(bytes_of(row), {});
    if (!sdp) continue;
    const Named named = names_of(**sdp);
    for (const MediaPlan& plan :
         {plan_offer(**sdp, Party::caller), plan_media({*sdp, *sdp, Party::caller})}) {
      for (const MediaSink& sink : plan.sinks) {
        EXPECT_TRUE(named.contains({sink.transport, sink.at})) << row[Column::file];
        EXPECT_NE(sink.at.port, 0) << row[Column::file];
      }
      for (const MediaFlow& flow : plan.flows)
        EXPECT_TRUE(named.contains({flow.transport, flow.caller})) << row[Column::file];
      planned += plan.sinks.size() + plan.flows.size();
    }
  }
  EXPECT_GT(planned, 1000U);
}

std::string sinks_of(const MediaPlan& plan) {
  std::string text;
  for (const MediaSink& sink : plan.sinks)
    text += (text.empty() ? "" : " ") + sink.at.to_string() +
            (sink.transport == MediaTransport::tcp ? "/tcp" : "");
  return text;
}

// Whether a named address may be used at all (10.0.0.5, port 22, port 5060) is belief's to say.
TEST_F(MediaCorpus, HostileDescriptions) {
  const std::map<std::string, std::string> offers{
      {"altc", "192.0.2.101:49172 192.0.2.101:49173"},
      {"bundle-only", "192.0.2.101:49172 192.0.2.101:49173"},
      {"cand-internal", "10.0.0.5:22 192.0.2.101:49172 192.0.2.101:49173"},
      {"multicast-c", ""},
      {"port-65535", "192.0.2.101:65535"},
      {"port-count-2", "192.0.2.101:49170 192.0.2.101:49172 192.0.2.101:49171 192.0.2.101:49173"},
      {"rtcpmux", "192.0.2.101:49172 192.0.2.101:49173"},
      {"tcp-ssh", "192.0.2.101:22/tcp"},
      {"zero-media", ""},
  };
  for (const auto& [name, sinks] : offers) {
    const SdpPtr sdp = description("made-hostile-sdp/" + name + ".sdp");
    ASSERT_TRUE(sdp) << name;
    EXPECT_EQ(sinks_of(plan_offer(*sdp, Party::caller)), sinks) << name;
  }
  EXPECT_FALSE(Sdp::parse(bytes_of_file("made-hostile-sdp/cand-1000.sdp"), {}).has_value());
}

TEST_F(MediaCorpus, HostilePairs) {
  const auto flows = [&](const std::string& name) {
    const SdpPtr sdp = description("made-hostile-sdp/" + name + ".sdp");
    return sdp ? plan_media({sdp, sdp, Party::caller}).flows : std::vector<MediaFlow>{};
  };
  EXPECT_EQ(flows("rtcpmux").size(), 1U);
  EXPECT_EQ(flows("port-65535").size(), 1U);
  EXPECT_EQ(flows("port-count-2").size(), 4U);
  EXPECT_EQ(flows("multicast-c").size(), 0U);
  EXPECT_EQ(flows("tcp-ssh").size(), 0U);
  const auto bundled = flows("bundle-only");
  EXPECT_EQ(bundled.size(), 2U);
  for (const MediaFlow& flow : bundled) EXPECT_EQ(flow.stream, 0U);
}

// The default address is none of the candidates.
TEST_F(MediaCorpus, VendorSamples) {
  const SdpPtr ice = description("vendor-samples/cisco-ice-session-level-candidates.sdp");
  ASSERT_TRUE(ice);
  EXPECT_EQ(sinks_of(plan_offer(*ice, Party::caller)),
            "10.86.255.143:16384 192.168.2.1:50005 10.86.255.143:16385 192.168.2.2:50006");
}

} // namespace
} // namespace midcom::torture
