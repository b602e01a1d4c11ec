// SPDX-License-Identifier: MIT
#pragma once
#include "imds/judge/event.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/process/user_names.hpp"

namespace telemetry::imds {

/// Writes the JSON objects about the process that made the request: `process` with its parent, `user`,
/// `container`, and the members of linux.process.
class JsonProcess {
  public:
    using Ancestors = std::vector<std::shared_ptr<const LineageNode>>;

    JsonProcess(const FormatContext& context, JsonEcs& ecs, const UserNames* users);

    /// Writes process, user and container; each begins with a comma.
    void put(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    /// Writes "process":{...} of the object linux: capabilities, namespaces, cgroup, ancestors.
    void put_linux(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    /// Writes the members of an object about the process that read the response.
    void put_reader(JsonLine& line, const Caller& caller);

  private:
    void put_known_process(JsonLine& line, const Event& event);
    void put_parent(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    void put_node(JsonLine& line, const LineageNode& node, const FieldName& name);
    void put_start(JsonLine& line, const LineageNode& node);
    void put_user(JsonLine& line, const Event& event);
    void put_user_name(JsonLine& line, uint32_t uid);
    void put_ancestors(JsonLine& line, const Ancestors& ancestors);

    JsonEcs& ecs_;
    const UserNames* users_;
    int64_t boot_time_ns_;
    Timestamp start_;
};

} // namespace telemetry::imds
