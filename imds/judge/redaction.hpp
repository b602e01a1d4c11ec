// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "imds/http/request_path.hpp"
#include "imds/model/provider.hpp"

namespace telemetry::imds {

/// "<redacted:123>" for 123 bytes.
std::string redacted(uint64_t length);

/// The path, with everything replaced that may be a credential: what follows a segment "credentials",
/// segments whose encoding could hide one, and on ECS all segments that are not known words.
std::string redacted_path(const TargetParts& target, Provider provider);

/// The query with the names of known parameters; unknown names and all values are replaced.
std::string redacted_query(std::string_view query);

/// The method, or a marker if it is not a valid one.
std::string redacted_method(std::string_view method);
/// A host name or address with its port, or a marker for anything else.
std::string redacted_host(std::string_view host);

} // namespace telemetry::imds
