// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry::imds {

/// What the hexadecimal digit stands for, of either case; -1: it is none.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace telemetry::imds
