// SPDX-License-Identifier: MIT
#include "telemetry/output/json/head.hpp"

#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {
namespace {

/// Builds the objects of a head, of the fields that are chosen. It is called at the start alone.
class Head {
  public:
    explicit Head(const FieldSet& fields) : fields_(fields) {}

    void open(std::string_view key) {
        begins_.push_back(json_.size());
        next();
        json_ += '"';
        json_ += key;
        json_ += "\":{";
    }
    /// An object of which nothing is known is taken back.
    void close() {
        if (json_.back() == '{')
            json_.resize(begins_.back());
        else
            json_ += '}';
        begins_.pop_back();
    }
    /// `"key":"value"`; nothing for an empty value.
    void add(Field field, std::string_view key, std::string_view value) {
        if (!fields_.has(field) || value.empty())
            return;
        next();
        json_ += '"';
        json_ += key;
        json_ += "\":\"";
        json_ += json_escaped(value);
        json_ += '"';
    }
    void add(Field field, std::string_view key, const std::vector<std::string>& values) {
        if (!fields_.has(field) || values.empty())
            return;
        next();
        json_ += '"';
        json_ += key;
        json_ += "\":[";
        for (const std::string& value : values)
            json_ += (json_.back() == '[' ? "\"" : ",\"") + json_escaped(value) + '"';
        json_ += ']';
    }
    bool has(Field field) const { return fields_.has(field); }
    void next() {
        if (json_.back() != '{')
            json_ += ',';
    }
    const std::string& json() const { return json_; }

  private:
    const FieldSet& fields_;
    std::string json_ = "\""; // the end of the time
    std::vector<size_t> begins_;
};

void add_os(Head& head, const Host& host) {
    if (!head.has(Field::host_os))
        return;
    head.open("os");
    head.add(Field::host_os_type, "type", "linux");
    head.add(Field::host_os_name, "name", host.os_name);
    head.add(Field::host_os_version, "version", host.os_version);
    head.add(Field::host_os_full, "full", host.os_full);
    head.add(Field::host_os_platform, "platform", host.os_platform);
    head.add(Field::host_os_family, "family", host.os_family);
    head.add(Field::host_os_kernel, "kernel", host.kernel);
    head.close();
}

void add_host(Head& head, const FormatContext& context) {
    if (!head.has(Field::host))
        return;
    head.open("host");
    head.add(Field::host_name, "name", context.node);
    head.add(Field::host_hostname, "hostname", context.node);
    head.add(Field::host_id, "id", context.host.id);
    head.add(Field::host_architecture, "architecture", context.host.architecture);
    if (head.has(Field::host_boot) && !context.boot_id.empty()) {
        head.open("boot");
        head.add(Field::host_boot_id, "id", context.boot_id);
        head.close();
    }
    head.add(Field::host_ip, "ip", context.host.ip);
    add_os(head, context.host);
    head.close();
}

void add_agent(Head& head, const Agent& agent) {
    if (!head.has(Field::agent))
        return;
    head.open("agent");
    head.add(Field::agent_type, "type", agent.type);
    head.add(Field::agent_version, "version", agent.version);
    head.add(Field::agent_id, "id", agent.id);
    head.add(Field::agent_ephemeral_id, "ephemeral_id", agent.ephemeral_id);
    head.close();
}

} // namespace

std::string json_head(const FormatContext& context, std::string_view dataset, const FieldSet& fields) {
    const std::string set = "ebpf_telemetry." + std::string(dataset);
    Head head(fields);
    if (head.has(Field::ecs)) {
        head.open("ecs");
        head.add(Field::schema_version, "version", ecs_version);
        head.close();
    }
    add_host(head, context);
    add_agent(head, context.agent);
    if (head.has(Field::data_stream)) {
        head.open("data_stream");
        head.add(Field::data_stream_type, "type", "logs");
        head.add(Field::data_stream_dataset, "dataset", set);
        head.add(Field::data_stream_namespace, "namespace", "default");
        head.close();
    }
    head.open("event");
    head.add(Field::event_module, "module", "ebpf_telemetry");
    head.add(Field::event_dataset, "dataset", set);
    head.next();
    return head.json();
}

std::string json_event_id(const FormatContext& context) {
    return "\"id\":\"" + json_escaped(context.agent.ephemeral_id) + '-';
}

} // namespace telemetry
