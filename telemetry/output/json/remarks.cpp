// SPDX-License-Identifier: MIT
#include "telemetry/output/json/remarks.hpp"

#include "telemetry/output/remarks.hpp"

namespace telemetry {

/// Did the call run? Of one that a filter or a tracer had the chance to answer and that ran, nothing.
void put_json_execution(JsonLine& line, const Event& event) {
    if (!event.skipped() && !event.unproven())
        return;
    line.put(event.skipped() ? std::string_view(R"(,"executed":false)") : R"(,"unproven":true)");
    line.put(",\"answered_by\":");
    line.put_quoted(supervisor_name(event));
}

void put_json_namespaces(JsonLine& line, const ImageNamespaces& namespaces) {
    if (namespaces == ImageNamespaces{})
        return;
    line.key("\"namespace\":{");
    const auto put = [&](std::string_view name, uint32_t number) {
        if (number == 0)
            return;
        line.next();
        line.put_quoted(name);
        line.put(':');
        line.put_decimal(number);
    };
    put("mnt", namespaces.mnt);
    put("pid", namespaces.pid);
    put("user", namespaces.user);
    line.put('}');
}

} // namespace telemetry
