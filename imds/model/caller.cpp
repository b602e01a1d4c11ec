// SPDX-License-Identifier: MIT
#include "imds/model/caller.hpp"

#include <array>

namespace telemetry::imds {
namespace {

/// The texts of process_part().
std::array<std::string_view*, 8> texts_of(Event& event) {
    const auto [exe, script, tty, argv, environment] = texts_of(event.image);
    return {&event.comm, exe, script, tty, argv, environment, &event.cwd.bytes, &event.root.bytes};
}

/// Copies only the members listed here, so that no other view into the record is kept by mistake.
Event process_part(const Event& event) {
    Event part;
    part.abi = event.abi;
    part.missing = event.missing;
    part.lost_fields = event.lost_fields;
    part.pid = event.pid;
    part.start_time_ns = event.start_time_ns;
    static_cast<ProcessNumbers&>(part) = event;
    part.comm = event.comm;
    part.image = event.image;
    part.cwd = event.cwd;
    part.root = event.root;
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
    const ProcessNumbers &numbers = a, &others = b;
    return a.pid == b.pid && a.start_time_ns == b.start_time_ns && a.missing == b.missing &&
           numbers == others && a.comm == b.comm && same(a.cwd, b.cwd) && same(a.root, b.root) &&
           same(a.image.exe, b.image.exe) && same(a.image.argv, b.image.argv) &&
           same(a.image.tty, b.image.tty);
}

} // namespace telemetry::imds
