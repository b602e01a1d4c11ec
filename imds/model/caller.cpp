// SPDX-License-Identifier: MIT
#include "imds/model/caller.hpp"

#include <array>

namespace telemetry::imds {
namespace {

/// The texts of a process.
std::array<std::string_view*, 6> texts_of(Event& event) {
    return {&event.comm,      &event.image.exe.bytes, &event.image.tty.bytes, &event.image.argv.bytes,
            &event.cwd.bytes, &event.root.bytes};
}

/// The event without what belongs to the call alone.
Event process_part(const Event& event) {
    Event part = event;
    part.call = nullptr;
    part.paths = part.strings = 0;
    part.path = {};
    part.string = {};
    part.exec_argv = {};
    part.sockaddr = {};
    part.stream = {};
    part.stream_status = Status::absent;
    part.user_stack = {};
    part.user_stack_status = Status::absent;
    part.child_status = Status::absent;
    return part;
}

bool same(const Text& a, const Text& b) {
    return a.status == b.status && a.bytes == b.bytes;
}

} // namespace

ProcessSnapshot::ProcessSnapshot(const Event& event) : event_(process_part(event)) {
    size_t length = 0;
    for (const std::string_view* text : texts_of(event_))
        length += text->size();
    bytes_.reserve(length); // so that the views stay valid
    for (std::string_view* text : texts_of(event_)) {
        const size_t begin = bytes_.size();
        bytes_.append(*text);
        *text = std::string_view(bytes_).substr(begin);
    }
}

bool is_same_process(const Event& a, const Event& b) {
    const auto ids = [](const Event& e) {
        return std::array<uint64_t, 18>{
            e.pid, e.tid,  e.ppid, e.exec_id, e.start_time_ns, e.missing, e.auid,  e.ses, e.uid,
            e.gid, e.suid, e.sgid, e.euid,    e.egid,          e.fsuid,   e.fsgid, 0,     0};
    };
    return ids(a) == ids(b) && a.comm == b.comm && same(a.cwd, b.cwd) && same(a.root, b.root) &&
           same(a.image.exe, b.image.exe) && same(a.image.argv, b.image.argv) &&
           same(a.image.tty, b.image.tty);
}

} // namespace telemetry::imds
