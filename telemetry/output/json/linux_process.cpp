// SPDX-License-Identifier: MIT
#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/linux.hpp"

namespace telemetry {
namespace {

/// An exec has the device in `file`, which is the executable.
InodeInfo executable_of(const Event& event) {
    InodeInfo inode = event.image.exe.inode;
    const bool is_said =
        has_new_image(event) && event.paths > 0 && event.path[0].has_inode && event.path[0].inode == inode;
    if (is_said)
        inode.device = 0;
    return inode;
}

void put_child(JsonLine& line, const Event& event, JsonProcess& process) {
    if (event.child_status != Status::ok || !line.wants(Field::linux_process_child))
        return;
    line.key("\"child\":{\"pid\":");
    line.put_decimal(event.child_pid);
    line.put(",\"entity_id\":\"");
    process.put_entity(line, event.child_pid, event.child_start_time_ns);
    line.put("\"}");
}

/// Where they are not what the schema's fields say: the file system's ids, and the parent that the
/// process has by now when the one that forked it has ended.
void put_other_ids(JsonLine& line, const Event& event) {
    const bool has_ids = !(event.missing & EBT_MISSING_CREDENTIALS);
    if (has_ids && event.fsuid != event.euid && line.wants(Field::linux_process_fsuid)) {
        line.key("\"fsuid\":");
        line.put_decimal(event.fsuid);
    }
    if (has_ids && event.fsgid != event.egid && line.wants(Field::linux_process_fsgid)) {
        line.key("\"fsgid\":");
        line.put_decimal(event.fsgid);
    }
    const bool has_parent = event.lineage && event.lineage->parent;
    if (has_parent && line.wants(Field::linux_process_ppid) && !(event.missing & EBT_MISSING_PPID) &&
        event.lineage->parent->key.pid != event.ppid) {
        line.key("\"ppid\":");
        line.put_decimal(event.ppid);
    }
}

void put_signal(JsonLine& line, const WaitStatus& status) {
    if (line.wants(Field::linux_process_signal)) {
        line.key("\"signal\":");
        line.put_decimal(status.signal);
    }
    if (line.wants(Field::linux_process_core_dumped)) {
        line.key("\"core_dumped\":");
        line.put(status.core_dumped ? std::string_view("true") : "false");
    }
}

} // namespace

void JsonLinux::put_process(JsonLine& line, const Event& event, JsonProcess& process) {
    const size_t begin = line.view().size();
    line.key("\"process\":{");
    if (event.image.exe.has_inode && line.wants(Field::linux_process_executable))
        put_executable(line, executable_of(event)); // the first member
    if (event.root.status != Status::absent && line.wants(Field::linux_process_root)) {
        line.put_text("\"root\":", {"linux.process.root"}, event.root);
        line.notes.add_directory({"linux.process.root"}, event.root);
    }
    if (line.wants(Field::linux_process_tty)) {
        line.put_text("\"tty\":", {"linux.process.tty"}, event.image.tty);
        line.notes.add({"linux.process.tty"}, event.image.tty);
    }
    put_other_ids(line, event);
    put_child(line, event, process);
    const WaitStatus status(event.ret);
    if (event.kind == EBT_EXIT && status.signal)
        put_signal(line, status);
    line.end_object(begin);
}

void JsonLinux::put_executable(JsonLine& line, const InodeInfo& inode) {
    executables_.put(line, inode, inode.ino, [&] {
        line.put("\"executable\":{"); // without its type, which is `file`
        put_json_inode_numbers(line, inode);
        line.put('}');
    });
}

} // namespace telemetry
