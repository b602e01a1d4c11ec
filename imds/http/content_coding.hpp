// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "imds/model/http_message.hpp"

namespace telemetry::imds {

/// So long a body is made of one that was packed, at most.
inline constexpr size_t most_unpacked = 64 * 1024;

/// Which coding a header Content-Encoding names.
BodyCoding parse_coding(std::string_view value);

/// The body as it was before the server packed it: as far as the bytes go, which may be cut, and up to a
/// limit. Nothing when that is not possible.
std::optional<std::string> unpacked(std::string_view body, BodyCoding coding);

} // namespace telemetry::imds
