// SPDX-License-Identifier: MIT
// What a record says of a process, its image and its child besides texts.
#include "telemetry/event/decoder.hpp"

#include "telemetry/event/facts.hpp"

#include <cstring>

namespace telemetry {

void Decoder::read_child(const RawField& field, Event& out) noexcept {
    if (out.child_status != Status::absent)
        return note(Defect::repeated, out);
    out.child_status = status_of(field.head.status);
    if (!field.is_known())
        return;
    ebt_child child;
    if (field.bytes.size() < sizeof(child)) {
        out.child_status = Status::unavailable;
        return note(Defect::field_payload, out);
    }
    std::memcpy(&child, field.bytes.data(), sizeof(child));
    out.child_pid = child.tgid;
    out.child_start_time_ns = child.start_time;
}

void Decoder::read_namespaces(const RawField& field, Event& out) noexcept {
    ebt_namespaces namespaces;
    if (field.bytes.size() < sizeof(namespaces))
        return note(Defect::field_payload, out);
    std::memcpy(&namespaces, field.bytes.data(), sizeof(namespaces));
    out.image.namespaces = {namespaces.mnt, namespaces.pid, namespaces.user};
}

void Decoder::read_capabilities(const RawField& field, Event& out) noexcept {
    ebt_capabilities sets;
    if (!field.is_known())
        return;
    if (field.bytes.size() < sizeof(sets))
        return note(Defect::field_payload, out);
    std::memcpy(&sets, field.bytes.data(), sizeof(sets));
    out.capabilities = {true, sets.permitted, sets.effective};
    if (out.carries_image)
        out.image.capabilities = out.capabilities;
}

void Decoder::read_exe_version(const RawField& field, Event& out) noexcept {
    constexpr uint32_t time_bits = (1u << 30) - 1; // above them is a mark of the kernel's
    ebt_file_version version;
    if (field.bytes.size() < sizeof(version))
        return note(Defect::field_payload, out);
    std::memcpy(&version, field.bytes.data(), sizeof(version));
    out.image.exe_version = {out.image.exe.inode.ino, version.size, version.changed_s,
                             version.changed_ns & time_bits, version.device};
}

void Decoder::read_cgroup(const RawField& field, Event& out) noexcept {
    if (field.head.arg > EBT_CGROUP_CONTROLLER)
        return note(Defect::field_arg, out);
    read_directory(field, nullptr, field.head.arg == EBT_CGROUP_UNIFIED ? out.cgroup : out.controller_cgroup,
                   out);
}

void Decoder::read_environment(const RawField& field, Event& out) noexcept {
    StringList& environment = out.image.environment;
    if (environment_names_.empty() || field.head.status == EBT_UNAVAILABLE)
        return; // nothing asked for, or the process has none
    read_list(field, environment, out);
    environment_names_.reduce(environment, environment_);
}

namespace {

/// The kernel puts the interpreter, what is given to it, and the script's name in the place of argv[0].
/// An interpreter may be a script itself, four times.
bool is_among_first(std::string_view name, std::string_view argv) {
    constexpr int most = 1 + 2 * 5;
    next_string(argv);
    for (int i = 1; i < most && !argv.empty(); ++i)
        if (next_string(argv) == name)
            return true;
    return false;
}

} // namespace

/// Of an exec that nothing witnessed: was that a script, and which? Its path is then what was named; a
/// program's is that of the process's executable.
void Decoder::find_script(Event& out) noexcept {
    if (!exec_name_.is_there() || !exec_name_.is_known() || !has_new_image(out) || out.paths != 0 ||
        witnesses_[0].is_there() || !is_among_first(exec_name_.bytes, out.image.argv.bytes))
        return;
    PathField* path = new_path(argument_of_exec(out), out);
    read_text(exec_name_, *path, out);
    if (!path->bytes.starts_with('/'))
        join(out.cwd, *path);
    else if (out.root.status != Status::absent)
        join(out.root, *path);
    if (path->bytes == out.image.exe.bytes) // a program that has its own name among its arguments
        out.paths = 0;
}

/// For the events of the process to come: another of the same exec among them.
void Decoder::keep_script(Event& out) noexcept {
    const bool is_script = witnesses_[0].is_there() ? witnesses_[1].is_there() : exec_name_.is_there();
    if (is_script && has_new_image(out) && out.paths == 1) // before it gets the executable's
        out.image.script = out.path[0];
}

} // namespace telemetry
