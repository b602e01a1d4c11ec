// SPDX-License-Identifier: MIT
#include "telemetry/output/json/process.hpp"

#include <algorithm>
#include <charconv>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/remarks.hpp"

namespace telemetry {
namespace {

/// What an event repeats of its process's arguments, and of its ancestors': the exec has all of them.
constexpr size_t most_repeated = 1024, most_of_parent = 512, most_of_leader = 256;
constexpr size_t longest_fragment = 8192;

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

/// For reading and searching alone: the parts joined with blanks.
template <size_t N> void put_joined(JsonLine& line, const char (&key)[N], std::string_view strings) {
    line.put(key);
    while (!strings.empty()) {
        put_json_escaped(line, next_string(strings));
        if (!strings.empty())
            line.put(' ');
    }
    line.put('"');
}

/// "pts3" or "tty1" as a device's numbers; other terminals have a driver's number that is not fixed.
void put_terminal(JsonLine& line, std::string_view name) {
    uint32_t number = 0;
    const bool is_pts = name.starts_with("pts"), is_tty = name.starts_with("tty");
    const auto [stop, error] = std::from_chars(name.data() + 3, name.data() + name.size(), number);
    if ((!is_pts && !is_tty) || error != std::errc{} || stop != name.data() + name.size())
        return;
    line.put(",\"tty\":{\"char_device\":{\"major\":");
    line.put_decimal(is_pts ? 136 + number / 256 : 4);
    line.put(",\"minor\":");
    line.put_decimal(number % 256);
    line.put("}}");
}

void put_flag(JsonLine& line, std::string_view key, bool value) {
    line.put(key);
    line.put(value ? std::string_view("true") : "false");
}

/// The first of a relative's arguments: which, is returned.
std::string_view put_args(JsonLine& line, const LineageNode& node, size_t most) {
    if (!node.program || node.program->argv.empty())
        return {};
    const std::string_view strings = whole_strings(node.program->argv, most);
    line.put(",\"args\":[");
    for (std::string_view rest = strings; !rest.empty();) {
        line.next();
        line.put_derived(next_string(rest));
    }
    line.put("],\"args_count\":");
    line.put_decimal(node.program->args);
    return strings;
}

void put_id_and_name(JsonLine& line, uint32_t id, std::string_view name) {
    line.put("\"id\":");
    line.put_quoted_number(id);
    if (name.empty())
        return;
    line.put(",\"name\":");
    line.put_derived(name);
}

/// Is the process in a container, whose names are not the machine's?
bool is_contained(const Event& event) {
    return event.lineage && !event.lineage->facts.container.id.empty();
}

/// Of a parent that nothing else is known of.
void put_parent_id(JsonLine& line, const Event& event) {
    if (event.missing & EBT_MISSING_PPID)
        return;
    line.put(",\"parent\":{\"pid\":");
    line.put_decimal(event.ppid);
    line.put('}');
}

/// The field has the beginning of the list alone.
void note_cut(JsonLine& line, const FieldName& name, const StringList& list) {
    Text cut = list;
    cut.status = Status::truncated;
    cut.original_length = static_cast<uint32_t>(list.bytes.size());
    line.notes.add(name, cut);
}

} // namespace

JsonProcess::JsonProcess(const FormatContext& context)
    : entity_(context.boot_id.empty() ? "" : json_escaped(context.boot_id) + '-'),
      boot_time_ns_(context.boot_time_ns), names_(context.accounts) {}

void JsonProcess::put(JsonLine& line, const Event& event, bool closes) {
    names_.refresh();
    const Image& image = event.image;
    const Identity identity = {event.pid, event.missing & EBT_MISSING_START_TIME, event.start_time_ns};
    identities_.put(line, identity, event.pid, [&] { render_identity(line, identity); });
    line.put(",\"name\":");
    if (image.exe.known())
        line.put_derived(base_name(image.exe.bytes));
    else
        line.put_derived(event.comm);
    line.put(",\"thread\":{\"id\":");
    line.put_decimal(event.tid);
    line.put(",\"name\":");
    line.put_string({"process.thread.name"}, event.comm);
    put_capabilities(line, event);
    line.put('}');
    line.put_text("\"executable\":", {"process.executable"}, image.exe);
    if (image.exe.status == Status::absent)
        line.notes.add_missing({"process.executable"});
    else
        line.notes.add_path({"process.executable"}, image.exe, false);
    if (!event.exe_sha256.empty()) {
        line.put(",\"hash\":{\"sha256\":\"");
        line.put(event.exe_sha256);
        line.put("\"}");
    }
    put_arguments(line, event);
    put_environment(line, event);
    line.put_text("\"working_directory\":", {"process.working_directory"}, event.cwd);
    line.notes.add_directory({"process.working_directory"}, event.cwd);
    if (image.exe.known()) // with the image comes whether it has a terminal
        put_flag(line, ",\"interactive\":", image.tty.known());
    if (image.tty.known())
        put_terminal(line, image.tty.bytes);
    if (!(event.missing & EBT_MISSING_CREDENTIALS)) {
        const Who who = who_of(event);
        process_users_.put(line, who, event.uid ^ event.euid << 3, [&] { render_users(line, who); });
    }
    put_descent(line, event);
    if (event.kind == EBT_EXIT)
        put_end_of_process(line, event);
    if (closes)
        line.put('}');
}

/// Of an exec: later events of the process may have others.
void JsonProcess::put_capabilities(JsonLine& line, const Event& event) {
    const Capabilities* const made = new_capabilities(event);
    if (!made)
        return;
    const Capabilities& sets = *made;
    capabilities_.put(line, sets, sets.permitted ^ sets.effective << 1, [&] {
        line.put(",\"capabilities\":{\"effective\":");
        put_json_capabilities(line, sets.effective);
        if (sets.permitted != sets.effective) {
            line.put(",\"permitted\":");
            put_json_capabilities(line, sets.permitted);
        }
        line.put('}');
    });
}

void JsonProcess::render_identity(JsonLine& line, const Identity& identity) {
    line.put(",\"process\":{\"pid\":");
    line.put_decimal(identity.pid);
    if (identity.missing & EBT_MISSING_START_TIME)
        return;
    line.put(",\"entity_id\":\"");
    put_entity(line, identity.pid, identity.start_time_ns);
    line.put('"');
    put_start(line, identity.start_time_ns);
}

void JsonProcess::put_start(JsonLine& line, uint64_t start_time_ns) {
    if (!boot_time_ns_)
        return;
    line.put(",\"start\":\"");
    start_.put(line, static_cast<uint64_t>(boot_time_ns_) + start_time_ns);
    line.put('"');
}

/// The exec has all of the arguments, and so has the first event of a process that ran before; what
/// other events repeat is bounded. Fragments have no notes: what is no UTF-8 is rendered each time.
void JsonProcess::put_arguments(JsonLine& line, const Event& event) {
    const StringList& list = event.image.argv;
    const bool is_whole = has_new_image(event) || event.carries_image;
    if (is_whole)
        line.notes.add_expected({"process.args"}, list);
    else
        line.notes.add({"process.args"}, list);
    if (!list.known())
        return;
    const std::string_view strings = is_whole ? list.bytes : whole_strings(list.bytes, most_repeated);
    if (strings.size() < list.bytes.size() && list.status == Status::ok)
        note_cut(line, {"process.args"}, list);
    const auto render = [&] {
        line.put(",\"args\":");
        put_json_strings(line, {"process.args"}, strings);
        line.put(",\"args_count\":");
        line.put_decimal(count_strings(list.bytes));
        put_joined(line, ",\"command_line\":\"", strings);
        if (has_new_image(event)) // what the kernel shows as its title, until the process changes that
            put_joined(line, ",\"title\":\"", strings.substr(0, most_repeated));
    };
    if (has_new_image(event) && strings.size() > most_repeated)
        note_cut(line, {"process.title"}, list);
    if (!event.lineage || is_whole)
        return render();
    const uint64_t stamp = event.lineage->stamp;
    arguments_.put_if(line, {stamp, list.bytes.size(), list.status}, stamp, [&] {
        const size_t raw = line.raw().size(), begin = line.view().size();
        render();
        return line.raw().size() == raw && line.view().size() - begin <= longest_fragment;
    });
}

/// With the exec, as the arguments are, or with the first event of a process that ran before.
void JsonProcess::put_environment(JsonLine& line, const Event& event) {
    const StringList& list = event.image.environment;
    if (!has_new_image(event) && !event.carries_image)
        return;
    line.notes.add({"process.env_vars"}, list);
    if (list.bytes.empty())
        return;
    line.put(",\"env_vars\":");
    put_json_strings(line, {"process.env_vars"}, list.bytes);
}

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
    static constexpr std::string_view keys[] = {"session_leader", "group_leader", "entry_leader"};
    const LineageNode& self = *event.lineage;
    if (self.parent) {
        put_relative(line, "parent", *self.parent);
        put_parent(line, *self.parent);
        line.put('}');
    } else {
        put_parent_id(line, event);
    }
    for (size_t i = 0; i < leaders.size(); ++i) {
        if (!leaders[i])
            continue;
        put_relative(line, keys[i], *leaders[i]);
        put_flag(line, ",\"same_as_process\":", leaders[i].get() == &self);
        put_flag(line, ",\"interactive\":", leaders[i]->has_terminal);
        if (i == 2) {
            put_args(line, *leaders[i], most_of_leader);
            line.put(",\"entry_meta\":{\"type\":");
            line.put_quoted(name_of(self.entry_type));
            line.put('}');
        }
        line.put('}');
    }
}

/// The object of an ancestor or leader, which stays open. Its strings are copies for searching: the
/// bytes that are no UTF-8 are with its own exec.
void JsonProcess::put_relative(JsonLine& line, std::string_view key, const LineageNode& node) {
    line.put(",\"");
    line.put(key);
    line.put("\":{\"pid\":");
    line.put_decimal(node.key.pid);
    if (node.has_start) { // a start time of /proc is too coarse for an entity id
        line.put(",\"entity_id\":\"");
        put_entity(line, node.key.pid, node.key.start_time_ns);
        line.put('"');
    }
    put_start(line, node.key.start_time_ns);
    line.put(",\"name\":");
    line.put_derived(node.name());
    if (node.program && !node.program->executable.empty()) {
        line.put(",\"executable\":");
        line.put_derived(node.program->executable);
    }
}

void JsonProcess::put_parent(JsonLine& line, const LineageNode& node) {
    const std::string_view strings = put_args(line, node, most_of_parent);
    if (!strings.empty())
        put_joined(line, ",\"command_line\":\"", strings);
    if (!node.working_directory.empty()) {
        line.put(",\"working_directory\":");
        line.put_derived(node.working_directory);
    }
    put_flag(line, ",\"interactive\":", node.has_terminal);
    if (!node.has_ids)
        return;
    shows_names_ = node.facts.container.id.empty();
    line.put(",\"user\":{");
    put_user_name(line, node.ids.euid);
    line.put("},\"group\":{");
    put_group_name(line, node.ids.egid);
    line.put('}');
    shows_names_ = true;
}

void JsonProcess::put_end_of_process(JsonLine& line, const Event& event) {
    line.put(",\"end\":\"");
    end_.put(line, event.time_ns);
    line.put('"');
    const WaitStatus status(event.ret);
    if (status.signal)
        return; // linux.process has it
    line.put(",\"exit_code\":");
    line.put_decimal(status.exit_code);
}

void JsonProcess::put_entity(JsonLine& line, uint32_t pid, uint64_t start_time_ns) {
    line.put(entity_);
    line.put_decimal(pid);
    line.put('-');
    line.put_decimal(start_time_ns);
}

JsonProcess::Who JsonProcess::who_of(const Event& event) const {
    return {{event.uid, event.gid, event.euid, event.egid, event.suid, event.sgid, event.fsuid, event.fsgid},
            is_contained(event),
            names_.generation()};
}

void JsonProcess::render_users(JsonLine& line, const Who& who) {
    shows_names_ = !who.is_contained;
    const std::tuple<std::string_view, uint32_t, std::string_view, uint32_t> roles[] = {
        {",\"user\":{", who.ids.euid, "},\"group\":{", who.ids.egid},
        {"},\"real_user\":{", who.ids.uid, "},\"real_group\":{", who.ids.gid},
        {"},\"saved_user\":{", who.ids.suid, "},\"saved_group\":{", who.ids.sgid}};
    for (const auto& [user, uid, group, gid] : roles) {
        line.put(user);
        put_user_name(line, uid);
        line.put(group);
        put_group_name(line, gid);
    }
    line.put('}');
    shows_names_ = true;
}

/// The effective one: whom the kernel asks.
void JsonProcess::put_user(JsonLine& line, const Event& event) {
    if (event.missing & EBT_MISSING_CREDENTIALS)
        return;
    names_.refresh();
    const Who who = who_of(event);
    users_.put(line, who, event.uid ^ event.euid << 3, [&] {
        shows_names_ = !who.is_contained;
        line.put(",\"user\":{");
        put_user_name(line, who.ids.euid);
        line.put(",\"group\":{");
        put_group_name(line, who.ids.egid);
        line.put("},\"effective\":{");
        put_user_name(line, who.ids.euid);
        line.put("}},\"group\":{");
        put_group_name(line, who.ids.egid);
        line.put('}');
        shows_names_ = true;
    });
}

void JsonProcess::put_user_name(JsonLine& line, uint32_t uid) {
    put_id_and_name(line, uid, shows_names_ ? names_.user(uid) : std::string_view());
}

void JsonProcess::put_group_name(JsonLine& line, uint32_t gid) {
    put_id_and_name(line, gid, shows_names_ ? names_.group(gid) : std::string_view());
}

void JsonProcess::put_owner(JsonLine& line, const Event& event, const InodeInfo& inode) {
    if (is_contained(event))
        return;
    const auto put = [&](std::string_view key, std::string_view name) {
        if (name.empty())
            return;
        line.put(key);
        line.put_derived(name);
    };
    put(",\"owner\":", names_.user(inode.uid));
    put(",\"group\":", names_.group(inode.gid));
}

} // namespace telemetry
