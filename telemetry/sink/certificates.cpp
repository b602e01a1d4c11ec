// SPDX-License-Identifier: MIT
#include "telemetry/sink/certificates.hpp"

#include <unistd.h>

namespace telemetry {

namespace {

constexpr const char* usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                  // Red Hat, Fedora, Amazon
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // newer ones of these
    "/etc/ssl/ca-bundle.pem",                            // SUSE
    "/etc/ssl/cert.pem",                                 // Alpine without the package of certificates
};

} // namespace

std::string trusted_certificates(const std::function<const char*(const char*)>& get,
                                 const std::string& root) {
    if (get("SSL_CERT_FILE") || get("SSL_CERT_DIR"))
        return "";
    for (const char* file : usual_files)
        if (access((root + file).c_str(), R_OK) == 0)
            return root + file;
    return "";
}

} // namespace telemetry
