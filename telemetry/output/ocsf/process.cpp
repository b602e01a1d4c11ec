// SPDX-License-Identifier: MIT
#include "telemetry/output/ocsf/process.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/process_parts.hpp"
#include "telemetry/output/ocsf/objects.hpp"

namespace telemetry {
namespace {

constexpr uint32_t unset_id = UINT32_MAX;
constexpr size_t most_repeated = 1024, most_of_parent = 512;

void put_container(JsonLine& line, const Event& event) {
    if (!is_contained(event))
        return;
    const Container& container = event.lineage->facts.container;
    line.put(",\"container\":{\"uid\":");
    line.put_derived(container.id);
    if (!container.runtime.empty()) {
        line.put(",\"runtime\":");
        line.put_quoted(container.runtime);
    }
    if (!container.pod.empty()) {
        line.put(R"(,"orchestrator":"kubernetes","pod_uuid":)");
        line.put_derived(container.pod);
    }
    line.put('}');
}

} // namespace

OcsfProcess::OcsfProcess(const FormatContext& context, JsonProcess& ids)
    : ids_(ids), boot_time_ns_(context.boot_time_ns), names_(context.accounts) {}

void OcsfProcess::put(JsonLine& line, const Event& event, const OcsfProcessNames& names) {
    names_.refresh();
    put_identity(line, event);
    const PathField& exe = event.image.exe;
    if (exe.known() && !file_name_of(exe).empty()) {
        line.put(",\"file\":{\"name\":");
        line.put_derived(file_name_of(exe));
        line.put(",\"path\":");
        line.put_string(names.path, exe.bytes);
        line.put(R"(,"type_id":1,"type":"Regular File")");
        if (exe.has_inode)
            put_owner(line, event, exe.inode);
        line.put('}');
        line.notes.add_path(names.path, exe, false);
    } else {
        line.notes.add_missing(names.path);
    }
    put_arguments(line, event, names);
    put_environment(line, event);
    line.put_text("\"working_directory\":", names.working_directory, event.cwd);
    line.notes.add_directory(names.working_directory, event.cwd);
    put_ids(line, event);
    put_session(line, event);
    put_container(line, event);
    const size_t begin = line.view().size();
    line.put(",\"parent_process\":");
    if (!put_parent(line, event))
        line.cut(begin);
    line.put('}');
}

void OcsfProcess::put_short(JsonLine& line, const Event& event) {
    put_identity(line, event);
    line.put('}');
}

/// The beginning of the object.
void OcsfProcess::put_identity(JsonLine& line, const Event& event) {
    line.put("{\"pid\":");
    line.put_decimal(event.pid);
    if (!(event.missing & EBT_MISSING_START_TIME)) {
        line.put(",\"uid\":\"");
        ids_.put_entity(line, event.pid, event.start_time_ns);
        line.put('"');
        put_start(line, event.start_time_ns);
    }
    line.put(",\"name\":");
    line.put_derived(process_name(event));
    line.put(",\"ptid\":");
    line.put_decimal(event.tid);
}

void OcsfProcess::put_start(JsonLine& line, uint64_t start_time_ns) {
    if (!boot_time_ns_)
        return;
    line.put(",\"created_time\":");
    line.put_decimal((static_cast<uint64_t>(boot_time_ns_) + start_time_ns) / ns_per_ms);
}

/// Joined with blanks. What cannot be made from that, the arguments that are no UTF-8, is in `raw`.
void OcsfProcess::put_arguments(JsonLine& line, const Event& event, const OcsfProcessNames& names) {
    const StringList& list = event.image.argv;
    const bool is_whole = has_new_image(event) || event.carries_image;
    line.notes.add(names.cmd_line, list);
    if (!list.known())
        return;
    const std::string_view strings = is_whole ? list.bytes : whole_strings(list.bytes, most_repeated);
    if (!put_joined(line, ",\"cmd_line\":\"", strings))
        line.add_raw(names.cmd_line, strings);
    if (strings.size() < list.bytes.size() && list.status == Status::ok)
        note_cut(line, names.cmd_line, list);
}

void OcsfProcess::put_environment(JsonLine& line, const Event& event) {
    const StringList& list = event.image.environment;
    if ((!has_new_image(event) && !event.carries_image) || list.bytes.empty())
        return;
    line.notes.add({"process.environment_variables"}, list);
    line.put(",\"environment_variables\":[");
    FieldName name = {"process.environment_variables", 0, "value"};
    for (std::string_view rest = list.bytes; !rest.empty(); ++name.index) {
        const std::string_view variable = next_string(rest);
        const size_t equals = std::min(variable.find('='), variable.size());
        line.key("{\"name\":");
        line.put_derived(variable.substr(0, equals));
        line.put(",\"value\":");
        line.put_string(name, variable.substr(std::min(equals + 1, variable.size())));
        line.put('}');
    }
    line.put(']');
}

void OcsfProcess::put_ids(JsonLine& line, const Event& event) {
    if (!(event.missing & EBT_MISSING_AUDIT) && event.auid != unset_id) {
        line.put(",\"auid\":");
        line.put_decimal(event.auid);
    }
    if (event.missing & EBT_MISSING_CREDENTIALS)
        return;
    line.put(",\"euid\":");
    line.put_decimal(event.euid);
    line.put(",\"egid\":");
    line.put_decimal(event.egid);
    line.put(",\"user\":");
    put_user(line, event, event.uid);
    line.put(",\"group\":");
    put_group(line, event, event.gid);
}

void OcsfProcess::put_session(JsonLine& line, const Event& event) {
    const bool has_session = !(event.missing & EBT_MISSING_AUDIT) && event.ses != unset_id;
    if (!has_session && !event.image.tty.known())
        return;
    line.put(",\"session\":{");
    if (has_session) {
        line.put("\"uid\":");
        line.put_quoted_number(event.ses);
    }
    line.put_text("\"terminal\":", {"process.session.terminal"}, event.image.tty);
    line.put('}');
}

void OcsfProcess::put_child(JsonLine& line, const Event& event) {
    line.put("{\"pid\":");
    line.put_decimal(event.child_pid);
    line.put(",\"uid\":\"");
    ids_.put_entity(line, event.child_pid, event.child_start_time_ns);
    line.put('"');
    put_start(line, event.child_start_time_ns);
    line.put(",\"name\":");
    line.put_derived(process_name(event));
    line.put('}');
}

void OcsfProcess::put_failed(JsonLine& line, const Event& event) {
    put_identity(line, event);
    line.cut(line.view().rfind(",\"name\":"));
    const PathField* path = files_of(event).file;
    if (path && path->known()) {
        line.put(",\"name\":");
        line.put_derived(base_name(path->bytes));
        line.put(",\"path\":");
        line.put_string({"process.path"}, path->bytes);
        line.notes.add_path({"process.path"}, *path, false);
    }
    if (event.exec_argv.known() && !put_joined(line, ",\"cmd_line\":\"", event.exec_argv.bytes))
        line.add_raw({"process.cmd_line"}, event.exec_argv.bytes);
    line.notes.add_expected({"process.cmd_line"}, event.exec_argv);
    line.put('}');
}

bool OcsfProcess::put_parent(JsonLine& line, const Event& event) {
    const LineageNode* parent = event.lineage ? event.lineage->parent.get() : nullptr;
    if (!parent) {
        if (event.missing & EBT_MISSING_PPID)
            return false;
        line.put("{\"pid\":");
        line.put_decimal(event.ppid);
        line.put('}');
        return true;
    }
    parents_.put_if(line, {parent->stamp, names_.generation()}, parent->stamp, [&] {
        const size_t begin = line.view().size();
        render_parent(line, *parent);
        return line.view().size() - begin <= longest_fragment;
    });
    return true;
}

/// Its strings are copies for searching: the bytes that are no UTF-8 are with its own exec.
void OcsfProcess::render_parent(JsonLine& line, const LineageNode& node) {
    line.put("{\"pid\":");
    line.put_decimal(node.key.pid);
    if (node.has_start) {
        line.put(",\"uid\":\"");
        ids_.put_entity(line, node.key.pid, node.key.start_time_ns);
        line.put('"');
    }
    put_start(line, node.key.start_time_ns);
    line.put(",\"name\":");
    line.put_derived(node.name());
    const ExecutedProgram* program = node.program.get();
    if (program && !base_name(program->executable).empty()) {
        line.put(",\"file\":{\"name\":");
        line.put_derived(base_name(program->executable));
        line.put(",\"path\":");
        line.put_derived(program->executable);
        line.put(R"(,"type_id":1,"type":"Regular File"})");
    }
    if (program && !program->argv.empty())
        put_joined(line, ",\"cmd_line\":\"", whole_strings(program->argv, most_of_parent));
    if (!node.working_directory.empty()) {
        line.put(",\"working_directory\":");
        line.put_derived(node.working_directory);
    }
    if (node.has_ids) {
        const bool shows_names = node.facts.container.id.empty();
        line.put(",\"user\":");
        put_ocsf_account(line, node.ids.uid, shows_names ? names_.user(node.ids.uid) : std::string_view());
    }
    line.put('}');
}

void OcsfProcess::put_user(JsonLine& line, const Event& event, uint32_t uid) {
    put_ocsf_account(line, uid, is_contained(event) ? std::string_view() : names_.user(uid));
}

void OcsfProcess::put_group(JsonLine& line, const Event& event, uint32_t gid) {
    put_ocsf_account(line, gid, is_contained(event) ? std::string_view() : names_.group(gid));
}

void OcsfProcess::put_owner(JsonLine& line, const Event& event, const InodeInfo& inode) {
    line.put(",\"owner\":");
    put_user(line, event, inode.uid);
}

} // namespace telemetry
