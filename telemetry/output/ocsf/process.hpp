// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/process/account_names.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

/// How the notes call the texts of a process, whose object may be in several places.
struct OcsfProcessNames {
    FieldName name, path, cmd_line, working_directory;
};
inline constexpr OcsfProcessNames ocsf_process = {
    {"process.name"}, {"process.file.path"}, {"process.cmd_line"}, {"process.working_directory"}};
inline constexpr OcsfProcessNames ocsf_actor = {{"actor.process.name"},
                                                {"actor.process.file.path"},
                                                {"actor.process.cmd_line"},
                                                {"actor.process.working_directory"}};

/// The objects `process`, `user` and `group` of the schema.
class OcsfProcess {
  public:
    /// `ids` makes the identifiers of processes.
    OcsfProcess(const FormatContext& context, JsonProcess& ids);

    /// All that is known of the process of an event.
    void put(JsonLine& line, const Event& event, const OcsfProcessNames& names);
    /// Which process it is.
    void put_short(JsonLine& line, const Event& event);
    /// The one that a fork made.
    void put_child(JsonLine& line, const Event& event);
    /// The parent, as far as it is known. False: it is not, and nothing was written.
    bool put_parent(JsonLine& line, const Event& event);
    /// What a failed exec was to execute.
    void put_failed(JsonLine& line, const Event& event);

    /// Objects, with the name where it is known.
    void put_user(JsonLine& line, const Event& event, uint32_t uid);
    void put_group(JsonLine& line, const Event& event, uint32_t gid);
    /// Owner of a file.
    void put_owner(JsonLine& line, const Event& event, const InodeInfo& inode);

  private:
    void put_identity(JsonLine& line, const Event& event);
    void put_start(JsonLine& line, uint64_t start_time_ns);
    void put_arguments(JsonLine& line, const Event& event, const OcsfProcessNames& names);
    void put_environment(JsonLine& line, const Event& event);
    void put_ids(JsonLine& line, const Event& event);
    void put_session(JsonLine& line, const Event& event);
    void render_parent(JsonLine& line, const LineageNode& node);

    struct Parent {
        uint64_t stamp = 0, names = 0;
        bool operator==(const Parent&) const = default;
    };

    JsonProcess& ids_;
    int64_t boot_time_ns_;
    CurrentNames names_;
    FragmentCache<Parent, 256> parents_;
};

} // namespace telemetry
