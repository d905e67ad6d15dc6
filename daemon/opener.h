// SPDX-License-Identifier: GPL-3.0-or-later
// One opener without I/O: a request in, its reply out. Holds the private keys, the keys of earlier
// messages, and who is trusted. It believes nothing of the agent's but the pair and the time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "daemon/opener_messages.h"

namespace midcom {

// PEM texts and policy, as [smime] and the [user]s have them.
struct OpenerMaterial {
  struct User {
    std::string address;          // of record
    std::string certificate, key; // the certificate's chain may follow it
  };
  // The keys' octets are wiped when they have been read.
  std::string certificate, key; // empty: no bodies are sealed for this process itself
  std::vector<User> users{};
  std::string authorities, revocation_lists; // empty: nobody is trusted; no lists
  std::vector<std::string> extended_key_usages;
  bool is_crl_required = false;
  std::int64_t cek_lifetime = 3600; // seconds
};

class Opener {
public:
  // What can't be used is named by its section and key.
  [[nodiscard]] static std::expected<std::unique_ptr<Opener>, std::string>
  make(OpenerMaterial material);
  ~Opener();

  [[nodiscard]] opener::Reply handle(const opener::Request& request);

  // Private-key operations so far: what the agent's requests cost.
  [[nodiscard]] std::uint64_t private_key_operations() const;
  [[nodiscard]] std::size_t kept_keys() const;

private:
  struct Impl;
  explicit Opener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace midcom
