// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace telemetry {

/// For identifiers: it protects nothing.
std::array<uint8_t, 20> sha1(std::span<const uint8_t> message);

} // namespace telemetry
