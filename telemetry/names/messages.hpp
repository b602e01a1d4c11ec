// SPDX-License-Identifier: MIT
// What this program and its helper for names say to each other, as the bytes of packets. The helper's are not
// trusted.
#pragma once
#include <cstddef>
#include <cstdint>

namespace telemetry::name_messages {

constexpr size_t longest_host = 255;
constexpr uint32_t most_addresses = 32;

struct Question {
    char host[longest_host + 1];
};

enum Outcome : uint32_t { found, unknown, no_answer, failed };

struct Address {
    uint32_t family = 0; ///< 4 or 6
    uint32_t scope = 0;  ///< of an address that counts on one link
    uint8_t bytes[16] = {};
};

struct Answer {
    uint32_t outcome = failed;
    uint32_t count = 0; ///< of the addresses; what is beyond is left out
    Address addresses[most_addresses];
};

} // namespace telemetry::name_messages
