// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "telemetry/sink/certificates.hpp"
#include "test/unit/support/temporary_folder.hpp"

using telemetry::trusted_certificates;

namespace {

const char* unset(const char*) {
    return nullptr;
}

void put(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "-----BEGIN CERTIFICATE-----\n";
}

} // namespace

TEST(Certificates, AreFoundWhereEachDistributionHasThem) {
    for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                             "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        const TemporaryFolder root;
        put(root.path() + file);
        EXPECT_EQ(trusted_certificates(unset, root.path()), root.path() + file);
    }
}

TEST(Certificates, ThereAreNoneInAnEmptyRoot) {
    const TemporaryFolder root;
    EXPECT_EQ(trusted_certificates(unset, root.path()), "");
}

TEST(Certificates, TheEnvironmentWins) {
    const TemporaryFolder root;
    put(root.path() + "/etc/ssl/cert.pem");
    for (const std::string set : {"SSL_CERT_FILE", "SSL_CERT_DIR"})
        EXPECT_EQ(
            trusted_certificates([&](const char* name) { return set == name ? "/x" : nullptr; }, root.path()),
            "");
}
