// SPDX-License-Identifier: GPL-3.0-or-later
// Certificates made while the test runs, so that none ever expires in the tree.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct x509_st;
struct evp_pkey_st;

namespace midcom::test {

struct CertificateSpec {
  std::string common_name;
  std::string alternatives; // "URI:sip:a.example,DNS:b.example"; empty: no subjectAltName
  std::string key_usage;    // extended; "serverAuth", "1.3.6.1.5.5.7.3.20"; empty: none
  long valid_from = -3600;  // seconds from now
  long valid_until = 3600;
};

struct Certificate {
  struct Free {
    void operator()(x509_st* certificate) const;
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<x509_st, Free> x509;
  std::unique_ptr<evp_pkey_st, Free> key;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string key_pem() const;
};

class Authority {
public:
  explicit Authority(const std::string& name);
  [[nodiscard]] Certificate issue(const CertificateSpec& spec) const;
  [[nodiscard]] std::string pem() const { return root_.pem(); }

private:
  Certificate root_;
};

} // namespace midcom::test
