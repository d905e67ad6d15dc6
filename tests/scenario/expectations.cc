// SPDX-License-Identifier: GPL-3.0-or-later
// The steps that expect something, and what they say when it is not so.
#include <algorithm>
#include <regex>
#include <stdexcept>

#include "tests/scenario/gate_steps.h"
#include "tests/scenario/runner.h"

namespace midcom::scenario {

namespace {

std::string join(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

std::string value_of(const Wire& wire, const std::string& header) {
  const auto dot = header.find('.');
  if (dot == std::string::npos) return join(wire.lines(header));
  const auto values = wire.values(header.substr(0, dot));
  const auto index = static_cast<std::size_t>(std::stoi(header.substr(dot + 1)));
  return index >= 1 && index <= values.size() ? values[index - 1] : "";
}

Directed directed(const std::string& source, const std::string& destination,
                  std::uint8_t protocol = 17) {
  return {media_endpoint(source), media_endpoint(destination), protocol};
}

std::string text_of(const Directed& flow) {
  return flow.source.to_string() + " -> " + flow.destination.to_string() +
         (flow.protocol == 17 ? "" : " tcp");
}

std::string text_of(const Event& event) {
  std::string out(event.name());
  for (const auto& [key, value] : event.fields())
    out.append(" ").append(key).append("=").append(value);
  return out;
}

// "name key=value key~part": all must hold.
bool fits(const Event& event, const std::vector<std::string>& words) {
  if (words.empty() || event.name() != words[0]) return false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto at = words[i].find_first_of("=~");
    const auto key = words[i].substr(0, at), want = words[i].substr(at + 1);
    const auto have = event.field(key);
    if (words[i][at] == '=' ? have != want : have.find(want) == std::string_view::npos)
      return false;
  }
  return true;
}

std::string all_events(RecordingLog& log) {
  std::string out;
  for (const auto& event : log.events()) out += "\n    " + text_of(event);
  return out;
}

bool compare(const std::string& have, const std::string& how, const std::string& want) {
  if (how == "=") return have == want;
  if (how == "!=") return have != want;
  if (how == "~") return std::regex_search(have, std::regex(want));
  if (how == "!~") return !std::regex_search(have, std::regex(want));
  throw std::runtime_error("no comparison: " + how);
}

std::vector<std::pair<std::string, std::string>> end_to_end_headers(const Wire& wire) {
  auto headers = wire.headers;
  std::erase_if(headers, [](const auto& field) {
    for (const auto* name : {"Via", "v", "Max-Forwards", "Record-Route", "Route", "Path"})
      if (same_word(field.first, name)) return true;
    return false;
  });
  return headers;
}

// An answer without what is its own: tags, branches, number.
std::string face_of(const std::string& bytes) {
  static const std::regex own("(branch|tag)=[^;\\r]*|CSeq: [0-9]+");
  return std::regex_replace(bytes, own, "");
}

} // namespace

bool Runner::matches(const Step& step, const std::string& line, const Wire& wire,
                     const std::string& bytes, const Party& party) const {
  const auto words = words_of(line);
  const auto second = words.size() > 1 ? words[1] : std::string();
  if (words[0] == "has") return wire.has(second);
  if (words[0] == "hasnt") return !wire.has(second);
  if (words[0] == "count")
    return std::to_string(wire.values(second).size()) == (words.size() > 2 ? words[2] : "");
  if (words[0] == "identical") {
    const auto key = wire.is_request() ? wire.method() : std::to_string(wire.status());
    return party.taken_bytes.contains(key) && party.taken_bytes.at(key) == bytes;
  }
  if (words.size() < 2) throw Failure(step.place, "can't read matcher: " + line);
  const auto how_at = line.find(second, words[0].size());
  const auto want = trim(line.substr(how_at + second.size()));
  if (words[0] == "body") return compare(wire.body, second, want == "none" ? "" : want);
  if (words[0] == "uri") return compare(wire.uri(), second, want);
  if (words[0] == "bytes") return compare(bytes, second, want);
  if (words[0] == "start") return compare(wire.start_line, second, want);
  return compare(value_of(wire, words[0]), second, want);
}

void Runner::expect_send(const Step& step) {
  const auto words = words_of(step.rest);
  if (words.size() < 2) throw std::runtime_error("EXPECT_SEND NAME METHOD|STATUS");
  auto& party = parties_.of(words[0]);
  while (words[1] != "100" && !party.inbox.empty() && party.inbox.front().status() == 100) {
    party.inbox.pop_front();
    party.raw_inbox.pop_front();
  }
  if (party.inbox.empty()) {
    std::string elsewhere;
    for (auto& [name, other] : parties_.all())
      for (const auto& wire : other.inbox) elsewhere += "\n  to " + name + ": " + wire.start_line;
    throw Failure(step.place, "nothing was sent to " + words[0] + ", expected " + words[1] +
                                  (elsewhere.empty() ? "" : "; waiting elsewhere:" + elsewhere) +
                                  "\n  log:" + all_events(world_->log()));
  }
  const Wire wire = party.inbox.front();
  const std::string bytes = party.raw_inbox.front();
  const auto key = wire.is_request() ? wire.method() : std::to_string(wire.status());
  if (key != words[1] || (words.size() > 2 && wire.method() != words[2]))
    throw Failure(step.place, "expected " + step.rest + ", sent was:\n" + bytes +
                                  "\n  log:" + all_events(world_->log()));
  for (const auto& line : step.block) {
    if (line.empty()) continue;
    const auto save = words_of(line);
    if (save[0] == "save" && save.size() > 2)
      parties_.set(save[1], value_of(wire, save[2]));
    else if (save[0] == "alike" && save.size() == 2) {
      const auto& [first, others] = *alike_.emplace(save[1], face_of(bytes)).first;
      if (others != face_of(bytes))
        throw Failure(step.place, "differs:\n" + bytes + "\nfrom:\n" + others);
    } else if (!matches(step, line, wire, bytes, party))
      throw Failure(step.place, "not so: " + line + "\n  in:\n" + bytes);
  }
  party.inbox.pop_front();
  party.raw_inbox.pop_front();
  parties_.took(words[0], wire, bytes);
  last_taken_ = wire;
}

// Of the gateway's private key, by all openers since the start.
void Runner::expect_key_operations(const Step& step) {
  const auto have = std::to_string(world_->openers().key_operations());
  if (have != step.rest) throw Failure(step.place, "private-key operations: " + have);
}

// What NAME reads of the last message expected: `signer = URI`, `opened = N`, `closed = N`,
// `aib ~ REGEX`, `text ~ REGEX` of the last leaf, `shared ~ REGEX` of the first.
void Runner::expect_opened(const Step& step) {
  const auto read = sealing_->open(last_taken_, words_of(step.rest).at(0));
  for (const auto& line : step.block) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    const auto have = words[0] == "signer"   ? join(read.signers)
                      : words[0] == "opened" ? std::to_string(read.opened)
                      : words[0] == "closed" ? std::to_string(read.closed)
                      : words[0] == "aib"    ? read.aib
                      : read.texts.empty()   ? std::string()
                      : words[0] == "shared" ? read.texts.front()
                                             : read.texts.back();
    const auto want = trim(line.substr(line.find(words[1], words[0].size()) + words[1].size()));
    if (!compare(have, words[1], want))
      throw Failure(step.place, "not so: " + line + "\n  there is: " + have);
  }
}

void Runner::expect_nothing(const Step& step) {
  for (auto& [name, party] : parties_.all()) {
    if (!step.rest.empty() && name != step.rest) continue;
    for (const auto& wire : party.inbox)
      if (wire.status() != 100)
        throw Failure(step.place,
                      "expected nothing for " + name + ", sent was:\n" + wire.to_bytes());
  }
}

void Runner::expect_unchanged(const Step& step) {
  const auto given = end_to_end_headers(last_given_), taken = end_to_end_headers(last_taken_);
  for (std::size_t i = 0; i < std::max(given.size(), taken.size()); ++i) {
    const auto text = [](const auto& headers, std::size_t at) {
      return at < headers.size() ? headers[at].first + ": " + headers[at].second : "(none)";
    };
    if (text(given, i) == text(taken, i)) continue;
    // Content-Length may have been filled in by the writer of the test message.
    if (i >= given.size() && same_word(taken[i].first, "Content-Length")) continue;
    throw Failure(step.place,
                  "a header changed:\n  - " + text(given, i) + "\n  + " + text(taken, i));
  }
}

void Runner::expect_body_identical(const Step& step) {
  if (last_given_.body != last_taken_.body)
    throw Failure(step.place,
                  "the body changed:\n- " + last_given_.body + "\n+ " + last_taken_.body);
}

void Runner::expect_rules(const Step& step) {
  std::vector<Directed> want;
  for (const auto& line : step.block) {
    const auto words = words_of(line);
    if (words.size() != 3 && !(words.size() == 4 && words[3] == "tcp"))
      throw Failure(step.place, "SOURCE -> DESTINATION or A <-> B, [tcp]: " + line);
    const std::uint8_t protocol = words.size() == 4 ? 6 : 17;
    want.push_back(directed(words[0], words[2], protocol));
    if (words[1] == "<->") want.push_back(directed(words[2], words[0], protocol));
  }
  if (want.empty() && step.rest != "none")
    throw Failure(step.place, "EXPECT_RULES none, or a list");
  auto have = world_->middlebox().passing(world_->now());
  std::ranges::sort(want);
  std::ranges::sort(have);
  if (want == have) return;
  std::string diff;
  for (const auto& flow : want)
    if (!std::ranges::binary_search(have, flow)) diff += "\n  - " + text_of(flow);
  for (const auto& flow : have)
    if (!std::ranges::binary_search(want, flow)) diff += "\n  + " + text_of(flow);
  throw Failure(step.place, "the kernel's flows differ (- expected, + there):" + diff +
                                "\n  log:" + all_events(world_->log()));
}

void Runner::expect_pass(const Step& step) {
  const auto words = words_of(step.rest);
  if (!world_->middlebox().passes(directed(words.at(0), words.at(1)), world_->now()))
    throw Failure(step.place, "blocked: " + step.rest);
}

void Runner::expect_blocked(const Step& step) {
  const auto words = words_of(step.rest);
  if (world_->middlebox().passes(directed(words.at(0), words.at(1)), world_->now()))
    throw Failure(step.place, "passes: " + step.rest);
}

void Runner::expect_log(const Step& step) {
  const auto words = words_of(step.rest);
  const auto& events = world_->log().events();
  for (std::size_t i = 0; i < events.size(); ++i)
    if (!used_log_.contains(i) && fits(events[i], words)) {
      used_log_.insert(i);
      return;
    }
  throw Failure(step.place, "no such event: " + step.rest + "\n  log:" + all_events(world_->log()));
}

void Runner::expect_no_log(const Step& step) {
  const auto& events = world_->log().events();
  for (std::size_t i = 0; i < events.size(); ++i)
    if (!used_log_.contains(i) && fits(events[i], words_of(step.rest)))
      throw Failure(step.place, "logged: " + text_of(events[i]));
}

void Runner::expect_not_in_log(const Step& step) {
  for (const auto& event : world_->log().events())
    if (text_of(event).find(step.rest) != std::string::npos)
      throw Failure(step.place, "logged: " + text_of(event));
}

void Runner::expect_counts(const Step& step) {
  const auto counts = world_->counts();
  for (const auto& word : words_of(step.rest)) {
    const auto key = word.substr(0, word.find('='));
    const auto have = key == "calls"          ? counts.calls
                      : key == "transactions" ? counts.transactions
                                              : counts.flows;
    if (std::to_string(have) != word.substr(word.find('=') + 1))
      throw Failure(step.place, "expected " + word + ", there are " + std::to_string(have));
  }
}

void Runner::expect_connect(const Step& step) {
  const auto found = std::ranges::find(connects_, step.rest);
  if (found == connects_.end()) throw Failure(step.place, "no connection to " + step.rest);
  connects_.erase(found);
}

void Runner::expect_closed(const Step& step) {
  if (closed_.erase(step.rest) == 0) throw Failure(step.place, step.rest + " is not closed");
}

void Runner::check_rest(const Step& step) {
  for (auto& [name, party] : parties_.all())
    for (const auto& wire : party.inbox)
      if (wire.status() != 100 && !ignored_.contains(name))
        throw Failure(step.place, "at the end " + name + " was sent:\n" + wire.to_bytes());
}

} // namespace midcom::scenario
