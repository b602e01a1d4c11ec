// SPDX-License-Identifier: MIT
// Plain data as the bytes of packets: this program and its helpers are the same program. A helper's are not
// trusted: what is taken from them has fields that may hold anything, so no bool and no enumeration.
#pragma once
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace telemetry::packets {

template <class Plain> std::string_view bytes_of(const Plain& plain) {
    static_assert(std::is_trivially_copyable_v<Plain>);
    return {reinterpret_cast<const char*>(&plain), sizeof(plain)};
}

/// Takes it off the bytes; absent if they are too few.
template <class Plain> std::optional<Plain> take(std::string_view& bytes) {
    static_assert(std::is_trivially_copyable_v<Plain>);
    if (bytes.size() < sizeof(Plain))
        return std::nullopt;
    Plain plain;
    memcpy(&plain, bytes.data(), sizeof(plain));
    bytes.remove_prefix(sizeof(plain));
    return plain;
}

template <size_t size> void put(char (&to)[size], std::string_view text) {
    const size_t length = text.size() < size ? text.size() : size - 1;
    memcpy(to, text.data(), length);
    to[length] = '\0';
}

/// Up to the first zero, or all.
template <size_t size> std::string_view text_of(const char (&from)[size]) {
    return {from, strnlen(from, size)};
}

} // namespace telemetry::packets
