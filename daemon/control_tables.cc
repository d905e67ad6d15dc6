// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/control_tables.h"

#include <algorithm>
#include <vector>

#include "daemon/log_format.h"

namespace midcom {

namespace {

class Table {
public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  void add(std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = cell.empty() ? "-" : escaped(cell);
    rows_.push_back(std::move(cells));
  }

  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += row[i];
        if (i + 1 < row.size()) out += std::string(widths[i] - row[i].size() + 2, ' ');
      }
      out += '\n';
    }
    return out;
  }

private:
  std::vector<std::vector<std::string>> rows_;
};

std::string joined(const JsonValue& texts) {
  std::string out;
  for (const JsonValue& text : texts.elements()) out += (out.empty() ? "" : ",") + text.text();
  return out;
}

std::string duration_text(std::uint64_t seconds) {
  const std::uint64_t minutes = seconds / 60, hours = minutes / 60;
  if (hours > 0) return std::to_string(hours) + "h" + std::to_string(minutes % 60) + "m";
  if (minutes > 0) return std::to_string(minutes) + "m" + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds) + "s";
}

std::string status_text(const JsonValue& answer) {
  const JsonValue& middlebox = answer["middlebox"];
  const JsonValue& counts = answer["counts"];
  std::string out;
  const auto line = [&out](std::string name, const std::string& text) {
    name.resize(15, ' ');
    out += name + escaped(text) + "\n";
  };
  line("version", answer["version"].text());
  line("uptime", duration_text(answer["uptime_s"].number()));
  line("configuration", answer["config_generation"].text());
  line("middlebox", middlebox["up"].is_true() ? "up" : "down");
  line("features", middlebox["features"].text());
  line("adopted", middlebox["adopted_groups"].text() + " groups, " +
                      middlebox["adopted_elements"].text() + " flows");
  const JsonValue& gate = answer["gate"];
  std::string counted = gate["up"].is_true() ? "up" : "down";
  for (const char* name : {"queued", "admitted", "parked", "released", "dropped", "overrun"})
    counted += std::string(", ") + name + " " + gate[name].text();
  line("gate", counted);
  for (const char* name : {"flows", "calls", "transactions", "rules"})
    line(name, counts[name].text());
  const JsonValue& commits = answer["commits"];
  line("commits", commits["count"].text() + ", " + commits["p50_us"].text() + " us (p50), " +
                      commits["p99_us"].text() + " us (p99), " + commits["longest_us"].text() +
                      " us (longest)");
  line("log lines lost", answer["log_lost"].text());
  return out;
}

std::string flows_text(const JsonValue& answer) {
  Table table({"SRC", "TRANSPORT", "DIR", "STATE", "PEER", "IDENTITIES", "REGISTERED"});
  for (const JsonValue& flow : answer["flows"].elements())
    table.add({flow["src"].text(), flow["transport"].text(), flow["direction"].text(),
               flow["state"].text(), flow["peer"].text(), joined(flow["identities"]),
               joined(flow["registered"])});
  return table.text();
}

std::string peers_text(const JsonValue& answer) {
  Table table({"PEER", "KIND", "SIDE", "STATE", "FLOWS", "NEXT-HOP", "TLS-NAME"});
  for (const JsonValue& peer : answer["peers"].elements())
    table.add({peer["name"].text(), peer["kind"].text(), peer["side"].text(), peer["state"].text(),
               peer["flows"].text(), peer["next_hop"].text(), peer["tls_name"].text()});
  return table.text();
}

std::string legs_peers(const JsonValue& call) {
  std::vector<std::string> names;
  for (const JsonValue& leg : call["legs"].elements()) names.push_back(leg["peer"].text());
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

std::string calls_text(const JsonValue& answer) {
  Table table({"CALL-ID", "FROM", "TO", "STATE", "AGE", "RULES"});
  for (const JsonValue& call : answer["calls"].elements()) {
    std::size_t rules = 0;
    for (const JsonValue& leg : call["legs"].elements()) rules += leg["rules"].elements().size();
    table.add({call["call"].text(), call["from_peer"].text(), legs_peers(call),
               call["state"].text(), duration_text(call["age_s"].number()), std::to_string(rules)});
  }
  return table.text();
}

void add_rule(Table& table, const std::string& name, const JsonValue& rule) {
  const std::string direction = rule["direction"].text();
  table.add({name, rule["stream"].text(), rule["component"].text(), rule["a"].text(),
             direction == "both"     ? "<->"
             : direction == "a-to-b" ? "->"
                                     : "<-",
             rule["b"].text()});
}

// The other end isn't known yet.
void add_sink(Table& table, const std::string& name, const JsonValue& sink) {
  const bool is_callers = sink["of"].text() == "caller";
  const std::string at = sink["at"].text();
  table.add({name, sink["stream"].text(), sink["component"].text(), is_callers ? at : "?",
             is_callers ? "<-" : "->", is_callers ? "?" : at});
}

std::string call_text(const JsonValue& answer) {
  std::string out = calls_text(answer);
  for (const JsonValue& call : answer["calls"].elements()) {
    for (const JsonValue& leg : call["legs"].elements()) {
      Table table({"  LEG", "M", "COMPONENT", "CALLER", "", "CALLEE"});
      const std::string name = "  " + leg["tag"].text() + " " + leg["state"].text();
      for (const JsonValue& rule : leg["rules"].elements()) add_rule(table, name, rule);
      for (const JsonValue& sink : leg["sinks"].elements()) add_sink(table, name, sink);
      if (leg["rules"].elements().empty() && leg["sinks"].elements().empty())
        table.add({name, "", "", "", "", ""});
      out += "\n" + table.text();
    }
  }
  return out;
}

std::string pinholes_text(const JsonValue& answer) {
  Table table({"CALL-ID", "M", "COMPONENT", "CALLER", "", "CALLEE"});
  for (const JsonValue& rule : answer["pinholes"].elements())
    add_rule(table, rule["call"].text(), rule);
  return table.text();
}

// Says so when the daemon gave not all of them.
std::string rest_text(const JsonValue& answer, const char* key) {
  const std::uint64_t total = answer["total"].number(), given = answer[key].elements().size();
  if (total <= given) return {};
  return "... " + std::to_string(total - given) + " more\n";
}

} // namespace

std::string control_table(ControlRequest::Kind kind, const JsonValue& answer) {
  using Kind = ControlRequest::Kind;
  switch (kind) {
  case Kind::status:
    return status_text(answer);
  case Kind::flows:
    return flows_text(answer) + rest_text(answer, "flows");
  case Kind::peers:
    return peers_text(answer);
  case Kind::calls:
    return calls_text(answer) + rest_text(answer, "calls");
  case Kind::call:
    return call_text(answer);
  case Kind::pinholes:
    return pinholes_text(answer) + rest_text(answer, "pinholes");
  }
  return {};
}

} // namespace midcom
