// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace telemetry {

inline constexpr size_t longest_sha1_message = 55;

/// SHA-1 (FIPS 180-4) of at most 55 bytes, which fit one block: for identifiers, it protects nothing. Of the
/// libraries that are linked, the small programs have none with it.
std::array<uint8_t, 20> sha1_of_short(std::span<const uint8_t> message);

} // namespace telemetry
