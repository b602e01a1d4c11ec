// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// How the call was made: "x86_64", "i386", "aarch64" ...; empty when it is not known.
inline std::string_view abi_name(const Event& event) {
    return event.missing & EBT_MISSING_ABI ? std::string_view() : ebpf_loader::abi_name(event.abi);
}

/// What a process event is called; empty for a system call.
constexpr std::string_view process_event_name(ebt_record_kind kind) {
    switch (kind) {
    case EBT_FORK:
        return "process_fork";
    case EBT_EXEC:
        return "process_exec";
    case EBT_EXIT:
        return "process_exit";
    default:
        return {};
    }
}

/// Were the arguments read from memory that others could change?
constexpr bool has_shared_arguments(const Event& event) {
    return (event.shared & EBT_MEMORY_ARGS) && (event.shared & EBT_SHARED_MEMORY);
}

/// What stands behind the last slash.
constexpr std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

/// Of the executable, which says more than what the process calls itself.
inline std::string_view process_name(const Event& event) {
    return event.image.exe.known() ? base_name(event.image.exe.bytes) : event.comm;
}

/// Is it a call that was to execute something?
constexpr bool is_exec_call(const Event& event) {
    return event.kind == EBT_SYSCALL && event.call && (event.call->flags & EBT_PLAN_EXEC);
}

/// Is Event::image new, and the event the one that made it so?
constexpr bool has_new_image(const Event& event) {
    return event.kind == EBT_EXEC || (is_exec_call(event) && event.success() && event.executed);
}

/// What the event has made of its process's capabilities. Null where it changes none, or they are not known.
constexpr const Capabilities* new_capabilities(const Event& event) {
    if (has_new_image(event))
        return event.image.capabilities.known ? &event.image.capabilities : nullptr;
    const bool changes =
        event.kind == EBT_SYSCALL && event.call && (event.call->flags & EBT_PLAN_CREDENTIALS);
    return changes && event.success() && event.capabilities.known ? &event.capabilities : nullptr;
}

/// Of an exec of a script, the program that runs it. Null where no script is known to have been executed.
constexpr const PathField* interpreter_of(const Event& event) {
    if (event.witnessed && event.witnessed->interpreter.status != Status::absent)
        return &event.witnessed->interpreter;
    return has_new_image(event) && event.image.script.known() ? &event.image.exe : nullptr;
}

/// Is the path one that starts from nowhere, and may well be relative: a symbolic link's target, a mount's
/// source?
constexpr bool is_free_text(const Event& event, const PathField& path) {
    return event.call && path.argument < event.call->arguments &&
           event.call->argument[path.argument].kind == ebpf_loader::ArgKind::path_text;
}

/// The name of the argument with this index; empty when there is no such argument.
constexpr std::string_view argument_name(const Event& event, uint8_t argument) {
    const bool known = event.call && argument < event.call->arguments;
    return known ? event.call->argument[argument].name : std::string_view();
}

/// A wait status, as wait(2) gives it.
struct WaitStatus {
    explicit constexpr WaitStatus(int64_t status)
        : exit_code(static_cast<uint32_t>(status >> 8) & 0xff), signal(static_cast<uint32_t>(status) & 0x7f),
          core_dumped(status & 0x80) {}
    uint32_t exit_code;
    uint32_t signal; ///< 0: ended by itself
    bool core_dumped;
};

/// Takes the next string off a list whose strings are each ended by NUL; the last one may have
/// lost its NUL to truncation.
constexpr std::string_view next_string(std::string_view& list) {
    const size_t end = list.find('\0');
    const std::string_view first = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    return first;
}

/// The strings of a list that fit whole into so many bytes.
constexpr std::string_view whole_strings(std::string_view strings, size_t most) {
    if (strings.size() <= most)
        return strings;
    const size_t end = strings.rfind('\0', most - 1);
    return strings.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

} // namespace telemetry
