// SPDX-License-Identifier: MIT
// Whom a process descends from: its parent and its leaders.
#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/output/json/process_parts.hpp"

namespace telemetry {

/// What is in the objects of all relatives.
struct JsonProcess::RelativeFields {
    std::string_view key;
    Field object, pid, entity_id, name, executable;
};

namespace {

/// What an event repeats of the arguments of its process's relatives: their own events have all of them.
constexpr size_t most_of_parent = 512, most_of_leader = 256;

/// The first of a relative's arguments: which, is returned.
std::string_view put_args(JsonLine& line, Field args, Field count, const LineageNode& node, size_t most) {
    if (!node.program || node.program->argv.empty())
        return {};
    const std::string_view strings = whole_strings(node.program->argv, most);
    if (line.wants(args)) {
        line.key("\"args\":[");
        for (std::string_view rest = strings; !rest.empty();) {
            line.next();
            line.put_derived(next_string(rest));
        }
        line.put(']');
    }
    if (line.wants(count)) {
        line.key("\"args_count\":");
        line.put_decimal(node.program->args);
    }
    return strings;
}

/// What is known of the entry leader alone.
void put_entry(JsonLine& line, const LineageNode& leader, const LineageNode& self) {
    put_args(line, Field::process_entry_leader_args, Field::process_entry_leader_args_count, leader,
             most_of_leader);
    if (!line.wants(Field::process_entry_leader_entry_meta))
        return;
    line.key("\"entry_meta\":{\"type\":");
    line.put_quoted(name_of(self.entry_type));
    line.put('}');
}

/// Of a parent that nothing else is known of.
void put_parent_id(JsonLine& line, const Event& event) {
    if ((event.missing & EBT_MISSING_PPID) || !line.wants(Field::process_parent_pid))
        return;
    line.put(",\"parent\":{\"pid\":");
    line.put_decimal(event.ppid);
    line.put('}');
}

} // namespace

void JsonProcess::put_descent(JsonLine& line, const Event& event) {
    const LineageNode* self = event.lineage;
    if (!self)
        return put_parent_id(line, event);
    const std::array<Node, 3> leaders = {self->session_leader.lock(), self->group_leader.lock(),
                                         self->entry_leader.lock()};
    Descent descent = {
        {self->stamp, self->parent ? self->parent->stamp : 0}, event.ppid, names_.generation()};
    for (size_t i = 0; i < leaders.size(); ++i)
        descent.stamps[2 + i] = leaders[i] ? leaders[i]->stamp : 0;
    descents_.put_if(line, descent, self->stamp, [&] {
        const size_t begin = line.view().size();
        render_descent(line, event, leaders);
        return line.view().size() - begin <= longest_fragment;
    });
}

void JsonProcess::render_descent(JsonLine& line, const Event& event, const std::array<Node, 3>& leaders) {
    struct LeaderFields : RelativeFields {
        Field same_as_process;
    };
    static constexpr LeaderFields of_leaders[] = {
        {{",\"session_leader\":{", Field::process_session_leader, Field::process_session_leader_pid,
          Field::process_session_leader_entity_id, Field::process_session_leader_name,
          Field::process_session_leader_executable},
         Field::process_session_leader_same_as_process},
        {{",\"group_leader\":{", Field::process_group_leader, Field::process_group_leader_pid,
          Field::process_group_leader_entity_id, Field::process_group_leader_name,
          Field::process_group_leader_executable},
         Field::process_group_leader_same_as_process},
        {{",\"entry_leader\":{", Field::process_entry_leader, Field::process_entry_leader_pid,
          Field::process_entry_leader_entity_id, Field::process_entry_leader_name,
          Field::process_entry_leader_executable},
         Field::process_entry_leader_same_as_process}};
    static constexpr RelativeFields of_parent = {",\"parent\":{",
                                                 Field::process_parent,
                                                 Field::process_parent_pid,
                                                 Field::process_parent_entity_id,
                                                 Field::process_parent_name,
                                                 Field::process_parent_executable};
    const LineageNode& self = *event.lineage;
    if (!self.parent) {
        put_parent_id(line, event);
    } else if (line.wants(Field::process_parent)) {
        const size_t begin = line.view().size();
        put_relative(line, of_parent, *self.parent, true);
        put_parent(line, *self.parent);
        line.end_object(begin);
    }
    constexpr size_t entry = 2;
    for (size_t i = 0; i < leaders.size(); ++i) {
        const LeaderFields& fields = of_leaders[i];
        if (!leaders[i] || !line.wants(fields.object))
            continue;
        const bool is_self = leaders[i].get() == &self, is_described = is_self || leaders[i] == self.parent;
        const size_t begin = line.view().size();
        put_relative(line, fields, *leaders[i], i == entry || !is_described);
        if (i == entry || is_self)
            put_flag(line, fields.same_as_process, "\"same_as_process\":", is_self);
        if (i == entry)
            put_entry(line, *leaders[i], self);
        line.end_object(begin);
    }
}

/// The object of an ancestor or leader, which stays open. Its strings are copies for searching: the
/// bytes that are no UTF-8 are with its own exec. What is described in the line already has no executable.
void JsonProcess::put_relative(JsonLine& line, const RelativeFields& fields, const LineageNode& node,
                               bool has_executable) {
    line.put(fields.key);
    if (line.wants(fields.pid)) {
        line.put("\"pid\":");
        line.put_decimal(node.key.pid);
    }
    if (node.has_start &&
        line.wants(fields.entity_id)) { // a start time of /proc is too coarse for an entity id
        line.key("\"entity_id\":\"");
        put_entity(line, node.key.pid, node.key.start_time_ns);
        line.put('"');
    }
    if (line.wants(fields.name)) {
        line.key("\"name\":");
        line.put_derived(node.name());
    }
    if (has_executable && node.program && !node.program->executable.empty() &&
        line.wants(fields.executable)) {
        line.key("\"executable\":");
        line.put_derived(node.program->executable);
    }
}

void JsonProcess::put_parent(JsonLine& line, const LineageNode& node) {
    if (line.wants(Field::process_parent_start))
        put_start(line, node.key.start_time_ns);
    const std::string_view strings =
        put_args(line, Field::process_parent_args, Field::process_parent_args_count, node, most_of_parent);
    if (!strings.empty() && line.wants(Field::process_parent_command_line)) {
        line.next();
        put_joined(line, "\"command_line\":\"", strings);
    }
    if (!node.working_directory.empty() && line.wants(Field::process_parent_working_directory)) {
        line.key("\"working_directory\":");
        line.put_derived(node.working_directory);
    }
    put_flag(line, Field::process_parent_interactive, "\"interactive\":", node.has_terminal);
    if (!node.has_ids)
        return;
    shows_names_ = node.facts.container.id.empty();
    put_user_of(line,
                {"\"user\":{", Field::process_parent_user, Field::process_parent_user_id,
                 Field::process_parent_user_name},
                node.ids.euid);
    put_group_of(line,
                 {"\"group\":{", Field::process_parent_group, Field::process_parent_group_id,
                  Field::process_parent_group_name},
                 node.ids.egid);
    shows_names_ = true;
}

} // namespace telemetry
