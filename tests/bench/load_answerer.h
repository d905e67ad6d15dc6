// SPDX-License-Identifier: GPL-3.0-or-later
// The answering side: 180 and 200 with an answer to every INVITE, 200 to every BYE. Keeps no state
// of calls: each response is made from its request.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/bench/load_line.h"
#include "tests/bench/load_poller.h"

namespace midcom::bench {

struct AnswererOptions {
  Endpoint own;
  Files files;
};

class Answerer {
public:
  explicit Answerer(const AnswererOptions& options);
  // Prints "ready", answers until SIGTERM or SIGINT, returns its counts as JSON.
  [[nodiscard]] std::string run();

private:
  void accept_all();
  void on_readable(int fd);
  void on_message(Line& line, std::string_view message);
  void close_line(int fd);
  void answer_invite(Line& line, const Text& text);
  [[nodiscard]] static std::string response(const Text& text, std::string_view status,
                                            std::string_view tag);

  AnswererOptions options_;
  TlsContext context_;
  Poller poller_;
  int listener_;
  std::unordered_map<int, std::unique_ptr<Line>> lines_;
  std::size_t invites_ = 0, acks_ = 0, byes_ = 0, others_ = 0, connections_ = 0;
};

} // namespace midcom::bench
