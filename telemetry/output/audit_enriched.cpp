// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/formatter.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry {

/// As auditd writes it with log_format=ENRICHED.
const Format audit_enriched_format = {
    .name = "audit-enriched",
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<AuditFormatter>(context, true);
    },
};

} // namespace telemetry
