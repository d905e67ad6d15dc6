// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/opener_side.h"

#include <stdexcept>

#include "daemon/opener_messages.h"

namespace midcom::scenario {

namespace {

std::unique_ptr<Opener> make(const OpenerMaterial& material) {
  auto opener = Opener::make(material);
  if (!opener) throw std::runtime_error("no opener: " + opener.error());
  return *std::move(opener);
}

} // namespace

OpenerSide::OpenerSide(std::size_t openers, OpenerMaterial material)
    : material_(std::move(material)) {
  for (std::size_t i = 0; i < openers; ++i) openers_.push_back(make(material_));
}

std::pair<std::size_t, opener::Reply> OpenerSide::run() {
  const auto [index, request] = std::move(requests_.front());
  requests_.pop_front();
  const auto reply = opener::decode_reply(opener::encode(openers_.at(index)->handle(request)));
  if (!reply) throw std::runtime_error("an opener's reply can't be decoded");
  return {index, *reply};
}

void OpenerSide::restart() {
  operations_before_ = key_operations();
  requests_.clear();
  for (auto& opener : openers_) opener = make(material_);
}

std::uint64_t OpenerSide::key_operations() const {
  std::uint64_t sum = operations_before_;
  for (const auto& opener : openers_) sum += opener->private_key_operations();
  return sum;
}

void OpenerSide::send(std::size_t opener, const opener::Request& request) {
  auto passed = opener::decode_request(opener::encode(request));
  if (!passed) throw std::runtime_error("a request to an opener can't be decoded");
  requests_.emplace_back(opener, *std::move(passed));
}

void OpenerSide::reject(std::size_t) {
  throw std::runtime_error("the agent rejects an opener's reply");
}

} // namespace midcom::scenario
