// SPDX-License-Identifier: MIT
// libcrypto's newer interface looks for a provider, and reads a configuration file for that.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "telemetry/output/network/sha1.hpp"

#include <openssl/sha.h>

namespace telemetry {

std::array<uint8_t, 20> sha1(std::span<const uint8_t> message) {
    std::array<uint8_t, 20> digest{};
    static_assert(digest.size() == SHA_DIGEST_LENGTH);
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, message.data(), message.size());
    SHA1_Final(digest.data(), &context);
    return digest;
}

} // namespace telemetry
