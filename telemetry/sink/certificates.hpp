// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>

namespace telemetry {

/// The path of the file with the certificates that this host trusts; distributions keep it in different
/// places. Empty where no such file exists, and where SSL_CERT_FILE or SSL_CERT_DIR is set: OpenSSL reads
/// these itself. `get` reads an environment variable, as getenv(3) does; `root` is put before the paths.
std::string trusted_certificates(const std::function<const char*(const char*)>& get,
                                 const std::string& root = "");

} // namespace telemetry
