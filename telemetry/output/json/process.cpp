// SPDX-License-Identifier: MIT
#include "telemetry/output/json/process.hpp"

#include <algorithm>
#include <charconv>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/process_parts.hpp"
#include "telemetry/output/json/remarks.hpp"

namespace telemetry {
namespace {

/// What an event repeats of its process's arguments: the exec has all of them.
constexpr size_t most_repeated = 1024;
/// The first two groups of the boot's id, 48 random bits: process id and start time, in nanoseconds, tell
/// apart the processes of a boot, and nearly those of all boots.
constexpr size_t entity_boot_length = 13;

/// "pts3" or "tty1" as a device's numbers; other terminals have a driver's number that is not fixed.
void put_terminal(JsonLine& line, std::string_view name) {
    uint32_t number = 0;
    const bool is_pts = name.starts_with("pts"), is_tty = name.starts_with("tty");
    const auto [stop, error] = std::from_chars(name.data() + 3, name.data() + name.size(), number);
    if ((!is_pts && !is_tty) || error != std::errc{} || stop != name.data() + name.size())
        return;
    line.put(",\"tty\":{\"char_device\":{");
    if (line.wants(Field::process_tty_char_device_major)) {
        line.put("\"major\":");
        line.put_decimal(is_pts ? 136 + number / 256 : 4);
    }
    if (line.wants(Field::process_tty_char_device_minor)) {
        line.key("\"minor\":");
        line.put_decimal(number % 256);
    }
    line.put("}}");
}

bool wants_arguments(const JsonLine& line) {
    return line.wants(Field::process_args) || line.wants(Field::process_args_count) ||
           line.wants(Field::process_command_line) || line.wants(Field::process_title);
}

bool wants_users(const JsonLine& line) {
    return line.wants(Field::process_user) || line.wants(Field::process_group) ||
           line.wants(Field::process_real_user) || line.wants(Field::process_real_group) ||
           line.wants(Field::process_saved_user) || line.wants(Field::process_saved_group);
}

bool wants_descent(const JsonLine& line) {
    return line.wants(Field::process_parent) || line.wants(Field::process_session_leader) ||
           line.wants(Field::process_group_leader) || line.wants(Field::process_entry_leader);
}

} // namespace

JsonProcess::JsonProcess(const FormatContext& context)
    : entity_(context.boot_id.empty() ? ""
                                      : json_escaped(context.boot_id.substr(0, entity_boot_length)) + '-'),
      boot_time_ns_(context.boot_time_ns), names_(context.accounts) {}

void JsonProcess::put(JsonLine& line, const Event& event, bool closes) {
    names_.refresh();
    const Identity identity = {event.pid, event.missing & EBT_MISSING_START_TIME, event.start_time_ns,
                               line.wants(Field::process_start)};
    identities_.put(line, identity, event.pid, [&] { render_identity(line, identity); });
    if (line.wants(Field::process_name)) {
        line.put(",\"name\":");
        line.put_derived(process_name(event));
    }
    if (line.wants(Field::process_thread))
        put_thread(line, event);
    put_image(line, event);
    if (wants_users(line) && !(event.missing & EBT_MISSING_CREDENTIALS)) {
        const Who who = who_of(event);
        process_users_.put(line, who, event.uid ^ event.euid << 3, [&] { render_users(line, who); });
    }
    if (wants_descent(line))
        put_descent(line, event);
    if (event.kind == EBT_EXIT)
        put_end_of_process(line, event);
    if (closes)
        line.put('}');
}

void JsonProcess::put_thread(JsonLine& line, const Event& event) {
    const bool has_id = event.tid != event.pid && line.wants(Field::process_thread_id);
    const bool has_name = line.wants(Field::process_thread_name);
    if (!has_id && !has_name && !new_capabilities(event)) [[likely]]
        return;
    const size_t begin = line.view().size();
    line.put(",\"thread\":{");
    if (has_id) {
        line.put("\"id\":");
        line.put_decimal(event.tid);
    }
    if (has_name) {
        line.key("\"name\":");
        line.put_string({"process.thread.name"}, event.comm);
    }
    put_capabilities(line, event);
    line.end_object(begin);
}

void JsonProcess::put_image(JsonLine& line, const Event& event) {
    const Image& image = event.image;
    if (line.wants(Field::process_executable)) {
        line.put_text("\"executable\":", {"process.executable"}, image.exe);
        if (image.exe.status == Status::absent)
            line.notes.add_missing({"process.executable"});
        else
            line.notes.add_path({"process.executable"}, image.exe, false);
    }
    if (!event.exe_sha256.empty() && line.wants(Field::process_hash)) {
        line.key("\"hash\":{\"sha256\":\"");
        line.put(event.exe_sha256);
        line.put("\"}");
    }
    if (wants_arguments(line))
        put_arguments(line, event);
    if (line.wants(Field::process_env_vars))
        put_environment(line, event);
    if (line.wants(Field::process_working_directory)) {
        line.put_text("\"working_directory\":", {"process.working_directory"}, event.cwd);
        line.notes.add_directory({"process.working_directory"}, event.cwd);
    }
    if (image.exe.known()) // with the image comes whether it has a terminal
        put_flag(line, Field::process_interactive, "\"interactive\":", image.tty.known());
    if (image.tty.known() && line.wants(Field::process_tty))
        put_terminal(line, image.tty.bytes);
}

/// Of an exec: later events of the process may have others.
void JsonProcess::put_capabilities(JsonLine& line, const Event& event) {
    const Capabilities* const made = new_capabilities(event);
    if (!made || !line.wants(Field::process_thread_capabilities))
        return;
    const Capabilities& sets = *made;
    line.next();
    capabilities_.put(line, sets, sets.permitted ^ sets.effective << 1, [&] {
        line.put("\"capabilities\":{");
        if (line.wants(Field::process_thread_capabilities_effective)) {
            line.put("\"effective\":");
            put_json_capabilities(line, sets.effective);
        }
        if (sets.permitted != sets.effective && line.wants(Field::process_thread_capabilities_permitted)) {
            line.key("\"permitted\":");
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
    if (identity.has_start)
        put_start(line, identity.start_time_ns);
}

void JsonProcess::put_start(JsonLine& line, uint64_t start_time_ns) {
    if (!boot_time_ns_)
        return;
    line.key("\"start\":\"");
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
    const bool has_title = has_new_image(event) && line.wants(Field::process_title);
    const auto render = [&] {
        if (line.wants(Field::process_args)) {
            line.put(",\"args\":");
            put_json_strings(line, {"process.args"}, strings);
        }
        if (line.wants(Field::process_args_count)) {
            line.put(",\"args_count\":");
            line.put_decimal(count_strings(list.bytes));
        }
        if (line.wants(Field::process_command_line))
            put_joined(line, ",\"command_line\":\"", strings);
        if (has_title) // what the kernel shows as its title, until the process changes that
            put_joined(line, ",\"title\":\"", strings.substr(0, most_repeated));
    };
    if (has_title && strings.size() > most_repeated)
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

void JsonProcess::put_end_of_process(JsonLine& line, const Event& event) {
    if (line.wants(Field::process_end)) {
        line.put(",\"end\":\"");
        end_.put(line, event.time_ns);
        line.put('"');
    }
    const WaitStatus status(event.ret);
    if (status.signal || !line.wants(Field::process_exit_code)) // linux.process has the signal
        return;
    line.put(",\"exit_code\":");
    line.put_decimal(status.exit_code);
}

void JsonProcess::put_entity(JsonLine& line, uint32_t pid, uint64_t start_time_ns) {
    line.put(entity_);
    line.put_decimal(pid);
    line.put('-');
    line.put_decimal(start_time_ns);
}

} // namespace telemetry
