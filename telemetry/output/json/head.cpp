// SPDX-License-Identifier: MIT
#include "telemetry/output/json/head.hpp"

#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {
namespace {

/// `"key":"value"`, after a comma unless it is an object's first member; nothing for an empty value.
void add(std::string& json, std::string_view key, std::string_view value) {
    if (value.empty())
        return;
    if (json.back() != '{')
        json += ',';
    json += '"';
    json += key;
    json += "\":\"";
    json += json_escaped(value);
    json += '"';
}

std::string os(const Host& host) {
    std::string json = R"({"type":"linux")";
    add(json, "name", host.os_name);
    add(json, "version", host.os_version);
    add(json, "full", host.os_full);
    add(json, "platform", host.os_platform);
    add(json, "family", host.os_family);
    add(json, "kernel", host.kernel);
    return json + '}';
}

std::string host(const FormatContext& context) {
    std::string json = "{";
    add(json, "name", context.node);
    add(json, "hostname", context.node);
    add(json, "id", context.host.id);
    add(json, "architecture", context.host.architecture);
    if (!context.boot_id.empty())
        json += R"(,"boot":{"id":")" + json_escaped(context.boot_id) + "\"}";
    if (!context.host.ip.empty()) {
        json += ",\"ip\":[";
        for (const std::string& ip : context.host.ip)
            json += (json.back() == '[' ? "\"" : ",\"") + ip + '"';
        json += ']';
    }
    return json + ",\"os\":" + os(context.host) + '}';
}

std::string agent(const Agent& agent) {
    std::string json = "{";
    add(json, "type", agent.type);
    add(json, "version", agent.version);
    add(json, "id", agent.id);
    add(json, "ephemeral_id", agent.ephemeral_id);
    return json + '}';
}

} // namespace

std::string json_head(const FormatContext& context, std::string_view dataset) {
    const std::string set = "\"dataset\":\"ebpf_telemetry." + std::string(dataset) + '"';
    return R"(","ecs":{"version":")" + std::string(ecs_version) + R"("},"host":)" + host(context) +
           ",\"agent\":" + agent(context.agent) + R"(,"data_stream":{"type":"logs",)" + set +
           R"(,"namespace":"default"},"event":{"module":"ebpf_telemetry",)" + set + ',';
}

std::string json_event_id(const FormatContext& context) {
    return "\"id\":\"" + json_escaped(context.agent.ephemeral_id) + '-';
}

} // namespace telemetry
