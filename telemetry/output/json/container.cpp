// SPDX-License-Identifier: MIT
#include "telemetry/output/json/container.hpp"

namespace telemetry {
namespace {

/// A member, if it is wanted and known.
void put_member(JsonLine& line, Field field, std::string_view key, std::string_view text) {
    if (text.empty() || !line.wants(field))
        return;
    line.next();
    line.put(key);
    line.put_derived(text);
}

/// An object of one member.
void put_inner(JsonLine& line, Field field, std::string_view key, std::string_view text) {
    if (text.empty() || !line.wants(field))
        return;
    line.next();
    line.put(key);
    line.put_derived(text);
    line.put('}');
}

void put_orchestrator(JsonLine& line, const Container& container, const ContainerNames& names) {
    const size_t begin = line.view().size();
    line.put(",\"orchestrator\":{");
    if (line.wants(Field::orchestrator_type))
        line.put(R"("type":"kubernetes")");
    put_member(line, Field::orchestrator_namespace, "\"namespace\":", names.pod_namespace);
    if (line.wants(Field::orchestrator_resource)) {
        const size_t resource = line.view().size();
        line.key("\"resource\":{");
        if (line.wants(Field::orchestrator_resource_type))
            line.put(R"("type":"pod")");
        put_member(line, Field::orchestrator_resource_id, "\"id\":", container.pod);
        put_member(line, Field::orchestrator_resource_name, "\"name\":", names.pod);
        line.end_object(resource);
    }
    line.end_object(begin);
}

const ContainerNames unnamed;

} // namespace

void put_json_container(JsonLine& line, const Container& container, const ContainerNames* names) {
    if (container.id.empty() || !line.wants(Field::container))
        return;
    const ContainerNames& known = names ? *names : unnamed;
    const size_t begin = line.view().size();
    line.put(",\"container\":{");
    put_member(line, Field::container_id, "\"id\":", container.id);
    put_member(line, Field::container_name, "\"name\":", known.name);
    put_member(line, Field::container_runtime, "\"runtime\":", container.runtime);
    put_inner(line, Field::container_image_name, "\"image\":{\"name\":", known.image);
    line.end_object(begin);
}

void put_json_pod(JsonLine& line, const Container& container, const ContainerNames* names) {
    if (container.pod.empty())
        return;
    const ContainerNames& known = names ? *names : unnamed;
    if (line.wants(Field::orchestrator))
        put_orchestrator(line, container, known);
    if (!line.wants(Field::kubernetes))
        return;
    const size_t begin = line.view().size();
    line.put(",\"kubernetes\":{");
    put_member(line, Field::kubernetes_namespace, "\"namespace\":", known.pod_namespace);
    if (line.wants(Field::kubernetes_pod)) {
        const size_t pod = line.view().size();
        line.key("\"pod\":{");
        put_member(line, Field::kubernetes_pod_uid, "\"uid\":", container.pod);
        put_member(line, Field::kubernetes_pod_name, "\"name\":", known.pod);
        line.end_object(pod);
    }
    line.end_object(begin);
}

} // namespace telemetry
