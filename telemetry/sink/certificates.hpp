// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>

namespace telemetry {

/// The file with the certificates that this host trusts, wherever its distribution keeps them. Empty: there
/// is none, or SSL_CERT_FILE or SSL_CERT_DIR, as `get` finds them, name others to OpenSSL. `root` stands
/// before the paths.
std::string trusted_certificates(const std::function<const char*(const char*)>& get,
                                 const std::string& root = "");

} // namespace telemetry
