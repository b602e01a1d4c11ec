// SPDX-License-Identifier: MIT
#pragma once
#include "imds/judge/event.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry::imds {

/// Writes the JSON objects about the process that made the request: `process` with its parent, `user`,
/// `container`, and the members of linux.process.
class JsonCaller {
  public:
    using Ancestors = std::vector<std::shared_ptr<const LineageNode>>;

    explicit JsonCaller(const FormatContext& context);

    /// Writes process, user and container; each begins with a comma.
    void put(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    /// Writes "process":{...} of the object linux: capabilities, namespaces, cgroup, ancestors.
    void put_linux(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    /// Writes the members of an object about the process that read the response.
    void put_reader(JsonLine& line, const Caller& caller);

  private:
    void put_parent(JsonLine& line, const Caller& caller, const Ancestors& ancestors);
    void put_node(JsonLine& line, const LineageNode& node, const FieldName& name);
    void put_start(JsonLine& line, const LineageNode& node);
    void put_ancestors(JsonLine& line, const Ancestors& ancestors);

    JsonProcess process_;
    int64_t boot_time_ns_;
    Timestamp start_;
};

} // namespace telemetry::imds
