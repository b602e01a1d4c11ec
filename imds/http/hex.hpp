// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry::imds {

/// The value of a hexadecimal digit, upper or lower case: 0 to 15; -1 for any other character.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace telemetry::imds
