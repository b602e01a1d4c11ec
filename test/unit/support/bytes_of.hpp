// SPDX-License-Identifier: MIT
#pragma once
#include <string>

/// Plain values as they stand in memory, one after the other.
template <class... Plain> std::string bytes_of(const Plain&... values) {
    std::string bytes;
    (bytes.append(reinterpret_cast<const char*>(&values), sizeof(values)), ...);
    return bytes;
}
