// SPDX-License-Identifier: MIT
#include "telemetry/output/json/container.hpp"

namespace telemetry {
namespace {

void put_orchestrator(JsonLine& line, const Container& container) {
    line.put(",\"orchestrator\":{");
    if (line.wants(Field::orchestrator_type))
        line.put(R"("type":"kubernetes")");
    if (line.wants(Field::orchestrator_resource)) {
        line.key("\"resource\":{");
        if (line.wants(Field::orchestrator_resource_type))
            line.put(R"("type":"pod")");
        if (line.wants(Field::orchestrator_resource_id)) {
            line.key("\"id\":");
            line.put_derived(container.pod);
        }
        line.put('}');
    }
    line.put('}');
}

} // namespace

void put_json_container(JsonLine& line, const Container& container) {
    if (container.id.empty() || !line.wants(Field::container))
        return;
    const size_t begin = line.view().size();
    line.put(",\"container\":{");
    if (line.wants(Field::container_id)) {
        line.put("\"id\":");
        line.put_derived(container.id);
    }
    if (!container.runtime.empty() && line.wants(Field::container_runtime)) {
        line.key("\"runtime\":");
        line.put_quoted(container.runtime);
    }
    line.end_object(begin);
}

void put_json_pod(JsonLine& line, const Container& container) {
    if (container.pod.empty())
        return;
    if (line.wants(Field::orchestrator))
        put_orchestrator(line, container);
    if (!line.wants(Field::kubernetes))
        return;
    line.put(R"(,"kubernetes":{"pod":{"uid":)");
    line.put_derived(container.pod);
    line.put("}}");
}

} // namespace telemetry
