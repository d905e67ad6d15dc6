// SPDX-License-Identifier: GPL-3.0-or-later
// The key that the seeds of der_scan are sealed for; it protects nothing else.
#pragma once

namespace midcom::fuzz {

inline constexpr auto recipient_certificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUTxzubUDM5EQLxyhRjXof7sW9VlowCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjUxODI0MDhaGA8yMTI2MTEwMTE4MjQw\n"
    "OFowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCGa\n"
    "epmqm2hh//OJDhCXlkfNt5vG8kcJZLrOd67Y686ZvyOpKJsXq+wHaTasnD5Pm24d\n"
    "iay1D4u7mpJiNGbwA3ijUzBRMB0GA1UdDgQWBBTscY0a4iUeTUmLxT0v5qoW7uI1\n"
    "zDAfBgNVHSMEGDAWgBTscY0a4iUeTUmLxT0v5qoW7uI1zDAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIQClIhawvJQdbhWtTrtLYVnVnOp97VDOErAy\n"
    "7oCIjJKx5wIgfiHhDGqK9hU4xyCP8jWuZV3ier/159Eny8bLgc9jEbQ=\n"
    "-----END CERTIFICATE-----\n";

inline constexpr auto recipient_key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzp+VyQKugfm79PhW\n"
    "vdcgtNhvGa7i7eozu4Bkt1xFdaGhRANCAAQhmnqZqptoYf/ziQ4Ql5ZHzbebxvJH\n"
    "CWS6zneu2OvOmb8jqSibF6vsB2k2rJw+T5tuHYmstQ+Lu5qSYjRm8AN4\n"
    "-----END PRIVATE KEY-----\n";

} // namespace midcom::fuzz
