// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "imds/http/request_path.hpp"
#include "imds/model/provider.hpp"

namespace telemetry::imds {

/// "<redacted:123>": so many bytes were there.
std::string redacted(uint64_t length);

/// The path with what may be a credential replaced: everything behind a segment "credentials",
/// what is encoded so that it could hide one, and on ECS all that is not known to be harmless.
std::string redacted_path(const TargetParts& target, Provider provider);

/// The names of parameters that are known, with their values replaced.
std::string redacted_query(std::string_view query);

/// The method; a marker for what is no method.
std::string redacted_method(std::string_view method);
/// A host's name or address with its port; a marker for anything else.
std::string redacted_host(std::string_view host);

} // namespace telemetry::imds
