// SPDX-License-Identifier: MIT
#include "telemetry/output/json/container.hpp"

namespace telemetry {

void put_json_container(JsonLine& line, const Container& container) {
    if (container.id.empty())
        return;
    line.put(",\"container\":{\"id\":");
    line.put_derived(container.id);
    if (!container.runtime.empty()) {
        line.put(",\"runtime\":");
        line.put_quoted(container.runtime);
    }
    line.put('}');
}

void put_json_pod(JsonLine& line, const Container& container) {
    if (container.pod.empty())
        return;
    line.put(R"(,"orchestrator":{"type":"kubernetes","resource":{"type":"pod","id":)");
    line.put_derived(container.pod);
    line.put(R"(}},"kubernetes":{"pod":{"uid":)");
    line.put_derived(container.pod);
    line.put("}}");
}

} // namespace telemetry
