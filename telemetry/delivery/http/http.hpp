// SPDX-License-Identifier: MIT
#pragma once
#include <memory>

#include "telemetry/delivery/http/dialect.hpp"
#include "telemetry/delivery/reliable.hpp"

namespace telemetry {

/// Carries lines to a server. Throws ebpf_loader::Error(usage) when there is no libcurl, and what the spool
/// throws.
std::unique_ptr<Carrier> make_http_carrier(const HttpOptions& http,
                                           std::shared_ptr<const HttpDialect> dialect,
                                           const ReliableOptions& reliable);

} // namespace telemetry
