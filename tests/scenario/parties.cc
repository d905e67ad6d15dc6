// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/parties.h"

#include <algorithm>
#include <stdexcept>

namespace midcom::scenario {

namespace {

// Takes a pseudo header out of the message.
std::optional<std::string> take(Wire& wire, std::string_view name) {
  if (!wire.has(name)) return std::nullopt;
  const auto value = wire.header(name);
  wire.remove(name);
  return value;
}

Wire from_block(const std::vector<std::string>& block, bool has_start_line) {
  Wire wire;
  std::size_t i = 0;
  if (has_start_line && !block.empty()) wire.start_line = block[i++];
  for (; i < block.size() && !block[i].empty(); ++i) {
    const auto& line = block[i];
    if ((line[0] == ' ' || line[0] == '\t') && !wire.headers.empty()) {
      wire.headers.back().second += "\r\n" + line; // folded, as written
      continue;
    }
    const auto colon = line.find(':');
    wire.add(line.substr(0, colon), colon == std::string::npos ? "" : trim(line.substr(colon + 1)));
  }
  for (++i; i < block.size(); ++i) wire.body += block[i] + "\r\n";
  return wire;
}

void apply_body(Wire& wire) {
  const auto body = take(wire, "Body");
  if (!body) return;
  auto words = words_of(*body);
  if (words.empty() || words[0] != "sdp") throw std::runtime_error("Body: sdp ... only");
  wire.body = make_sdp(words);
  if (!wire.has("Content-Type")) wire.add("Content-Type", "application/sdp");
}

// "-Name:" lines take headers out that would be filled in.
void apply_removals(Wire& wire) {
  std::vector<std::string> gone;
  for (const auto& [name, value] : wire.headers)
    if (name.starts_with('-')) gone.push_back(name);
  for (const auto& name : gone) {
    wire.remove(name);
    wire.remove(std::string_view(name).substr(1));
  }
}

bool wants_contact(const std::string& method) {
  return method == "INVITE" || method == "UPDATE" || method == "SUBSCRIBE" || method == "REFER" ||
         method == "REGISTER";
}

std::string join(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

} // namespace

std::string make_sdp(const std::vector<std::string>& words) {
  if (words.size() < 3) throw std::runtime_error("Body: sdp ADDRESS PORT ...");
  const auto& host = words[1];
  const std::string family = host.find(':') == std::string::npos ? "IP4" : "IP6";
  std::string version = "1", protocol = "RTP/AVP", connection = host, session, tail, more;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const auto key = words[i].substr(0, equals);
    const auto value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
    if (key == "v")
      version = value;
    else if (key == "proto")
      protocol = value;
    else if (key == "c")
      connection = value;
    else if (key == "dir")
      tail += "a=" + value + "\r\n";
    else if (key == "mux")
      tail += "a=rtcp-mux\r\n";
    else if (key == "rtcp")
      tail += "a=rtcp:" + value + "\r\n";
    else if (key == "attr")
      tail += "a=" + value + "\r\n";
    else if (key == "session")
      session += "a=" + value + "\r\n";
    else if (key == "video")
      more += "m=video " + value + " " + protocol + " 31\r\n";
    else
      throw std::runtime_error("unknown word in Body: " + words[i]);
  }
  for (auto* text : {&tail, &session}) std::ranges::replace(*text, '_', ' ');
  return "v=0\r\no=- 1 " + version + " IN " + family + " " + host + "\r\ns=-\r\nc=IN " + family +
         " " + connection + "\r\nt=0 0\r\n" + session + "m=audio " + words[2] + " " + protocol +
         " 0\r\n" + tail + more;
}

std::string Parties::next_via(Party& party, const std::string& name) {
  return "SIP/2.0/" + party.transport + " " + party.sent_by + ";branch=z9hG4bK-" + name + "-" +
         std::to_string(++party.branches);
}

Wire Parties::request(const std::string& name, const std::vector<std::string>& block) {
  auto& party = of(name);
  Wire wire = from_block(block, true);
  if (!wire.start_line.ends_with(" SIP/2.0")) wire.start_line += " SIP/2.0";
  const auto method = wire.method();
  const auto dialog = take(wire, "In-Dialog");
  apply_body(wire);
  const Wire* invite = party.given.contains("INVITE") ? &party.given.at("INVITE") : nullptr;
  const bool repeats_invite = invite && !dialog && (method == "CANCEL" || method == "ACK");
  std::vector<std::pair<std::string, std::string>> filled;
  const auto fill = [&](const std::string& header, const auto& make) {
    if (!wire.has(header) && !wire.has("-" + header))
      if (std::string value = make(); !value.empty()) filled.emplace_back(header, value);
  };
  const auto of_invite = [&](const std::string& header) { return invite->header(header); };
  fill("Via", [&] { return repeats_invite ? of_invite("Via") : next_via(party, name); });
  fill("Max-Forwards", [] { return std::string("70"); });
  fill("Route", [&]() -> std::string {
    if (dialog) return join(party.route_set);
    return repeats_invite ? of_invite("Route") : "";
  });
  fill("From", [&] {
    return repeats_invite ? of_invite("From")
                          : "<sip:" + name + "@example.com>;tag=" + name + "-tag";
  });
  fill("To", [&]() -> std::string {
    if (dialog) return "<sip:" + *dialog + "@example.com>;tag=" + *dialog + "-tag";
    if (repeats_invite && method == "ACK")
      for (const auto& [key, response] : party.taken)
        if (!response.is_request() && response.status() >= 300 && response.method() == "INVITE")
          return response.header("To");
    if (repeats_invite) return of_invite("To");
    return method == "REGISTER" ? "<sip:" + name + "@example.com>" : "<" + wire.uri() + ">";
  });
  fill("Call-ID", [&] { return repeats_invite ? of_invite("Call-ID") : call_id_; });
  fill("CSeq", [&] {
    if (invite && (method == "CANCEL" || method == "ACK"))
      return words_of(of_invite("CSeq")).at(0) + " " + method;
    return std::to_string(++party.cseq) + " " + method;
  });
  if (wants_contact(method))
    fill("Contact", [&] { return "<sip:" + name + "@" + party.sent_by + ">"; });
  wire.headers.insert(wire.headers.begin(), filled.begin(), filled.end());
  apply_removals(wire);
  return wire;
}

Wire Parties::response(const std::string& name, const std::string& method,
                       const std::string& status_and_reason, std::string tag,
                       const std::vector<std::string>& block) {
  auto& party = of(name);
  if (!party.taken.contains(method)) throw std::runtime_error(name + " took no " + method);
  const Wire& request = party.taken.at(method);
  Wire extra = from_block(block, false);
  apply_body(extra);
  Wire wire;
  wire.start_line = "SIP/2.0 " + status_and_reason;
  const int status = wire.status();
  for (const auto* header : {"Via", "From", "To", "Call-ID", "CSeq"})
    for (auto& line : request.lines(header))
      if (!extra.has(header)) wire.add(header, line);
  if (!extra.has("To") && status > 100 && parameter_of(wire.header("To"), "tag").empty())
    wire.set("To", wire.header("To") + ";tag=" + (tag.empty() ? name + "-tag" : tag));
  const bool makes_dialog = method == "INVITE" || method == "SUBSCRIBE";
  if (makes_dialog && status > 100 && status < 300) {
    if (!extra.has("Record-Route"))
      for (auto& line : request.lines("Record-Route")) wire.add("Record-Route", line);
    if (!extra.has("Contact")) wire.add("Contact", "<sip:" + name + "@" + party.sent_by + ">");
  }
  for (auto& [header, value] : extra.headers) wire.add(header, value);
  wire.body = extra.body;
  apply_removals(wire);
  return wire;
}

Wire Parties::forward(const std::string& name, const std::string& key,
                      const std::map<std::string, std::string>& options) {
  auto& party = of(name);
  if (!party.taken.contains(key)) throw std::runtime_error(name + " took no " + key);
  Wire wire = party.taken.at(key);
  wire.remove("Content-Length");
  if (!wire.is_request()) {
    auto vias = wire.values("Via");
    wire.remove("Via");
    for (std::size_t i = vias.size(); i > 1; --i) wire.add_first("Via", vias[i - 1]);
    return wire;
  }
  auto routes = wire.values("Route");
  wire.remove("Route");
  if (!routes.empty() && uri_of(routes[0]).find(name + ".example.com") != std::string::npos)
    routes.erase(routes.begin());
  if (const auto route = options.find("route"); route != options.end())
    routes.insert(routes.begin(), route->second);
  if (!routes.empty()) wire.add_first("Route", join(routes));
  const auto method = wire.method();
  if (method == "INVITE" && !options.contains("record-route"))
    wire.add_first("Record-Route", "<sip:" + name + ".example.com;lr>");
  const auto& sent_invite = party.given["INVITE"];
  wire.add_first("Via", method == "CANCEL" && !sent_invite.headers.empty()
                            ? split_values(sent_invite.header("Via")).at(0)
                            : next_via(party, name));
  wire.set("Max-Forwards", std::to_string(std::stoi(wire.header("Max-Forwards")) - 1));
  if (const auto uri = options.find("uri"); uri != options.end())
    wire.start_line = method + " " + uri->second + " SIP/2.0";
  return wire;
}

void Parties::sent(const std::string& name, const Wire& wire, const std::string& bytes) {
  auto& party = of(name);
  party.given[wire.is_request() ? wire.method() : std::to_string(wire.status())] = wire;
  party.last_given_bytes = bytes;
}

void Parties::took(const std::string& name, const Wire& wire, const std::string& bytes) {
  auto& party = of(name);
  const auto key = wire.is_request() ? wire.method() : std::to_string(wire.status());
  party.taken[key] = wire;
  party.taken_bytes[key] = bytes;
  if (wire.is_request()) {
    if (wire.method() == "INVITE" && parameter_of(wire.header("To"), "tag").empty())
      party.route_set = wire.values("Record-Route");
  } else if (wire.method() == "INVITE" && wire.status() > 100 && wire.status() < 300) {
    auto routes = wire.values("Record-Route");
    std::ranges::reverse(routes);
    party.route_set = routes;
  }
}

std::string Parties::look_up(const std::string& variable) const {
  if (const auto plain = variables_.find(variable); plain != variables_.end()) return plain->second;
  std::vector<std::string> parts(1);
  for (const char c : variable)
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  const auto party = parties_.find(parts[0]);
  if (party == parties_.end() || parts.size() < 2)
    throw std::runtime_error("unknown variable " + variable);
  if (parts[1] == "contact") return "sip:" + parts[0] + "@" + party->second.sent_by;
  if (parts[1] == "routes") return join(party->second.route_set);
  const bool is_given = parts[1] == "sent";
  if (is_given) parts.erase(parts.begin() + 1);
  const auto& messages = is_given ? party->second.given : party->second.taken;
  const auto message = messages.find(parts.at(1));
  if (message == messages.end() || parts.size() < 3)
    throw std::runtime_error("no such message for " + variable);
  if (parts[2] == "URI") return message->second.uri();
  auto values = message->second.values(parts[2]);
  for (std::size_t i = 3; i < parts.size() && !values.empty(); ++i) {
    if (parts[i] == "reversed")
      std::ranges::reverse(values);
    else if (parts[i] == "uri")
      values = {uri_of(values[0])};
    else if (parts[i] == "branch" || parts[i] == "tag")
      values = {parameter_of(values[0], parts[i])};
    else
      values = {values.at(static_cast<std::size_t>(std::stoi(parts[i])) - 1)};
  }
  return join(values);
}

std::string Parties::expand(const std::string& text) const {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find("${", at);
    out += text.substr(at, open - at);
    if (open == std::string::npos) break;
    const auto close = text.find('}', open);
    if (close == std::string::npos) throw std::runtime_error("${ without }");
    out += look_up(text.substr(open + 2, close - open - 2));
    at = close + 1;
  }
  return out;
}

} // namespace midcom::scenario
