// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/formatter.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry {

const Format audit_format = {
    .name = "audit",
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<AuditFormatter>(context, false);
    },
};

} // namespace telemetry
