// SPDX-License-Identifier: MIT
// Events made up for rules.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "telemetry/rules/rules.hpp"
#include "test/unit/support/kernel_filter.hpp"
#include "test/unit/support/syscall_row.hpp"

namespace rules_test {

using namespace telemetry;

inline Event event_of(const ebpf_loader::SyscallRow& row) {
    Event event;
    event.call = &row;
    event.row = ebpf_loader::row_of(row);
    event.returns = row.returns != ebpf_loader::ReturnKind::none;
    event.comm = "sh";
    event.image.exe.bytes = "/usr/bin/dash";
    event.image.exe.status = Status::ok;
    event.cwd.bytes = "/root";
    event.cwd.status = Status::ok;
    return event;
}

inline Event event_of(std::string_view name) {
    return event_of(call(name));
}

inline Event process_event(ebt_process_row row) {
    Event event = event_of("read");
    event.call = nullptr;
    event.row = row;
    event.returns = true;
    event.kind = row == EBT_ROW_FORK ? EBT_FORK : row == EBT_ROW_EXEC ? EBT_EXEC : EBT_EXIT;
    return event;
}

/// Adds a path; `bytes` must outlive the event.
inline PathField& add_path(Event& event, std::string_view bytes, Status status = Status::ok) {
    PathField& path = event.path.at(event.paths++);
    path.bytes = bytes;
    path.status = status;
    path.argument = static_cast<uint8_t>(event.paths - 1);
    return path;
}

inline Rules parse(const std::string& text) {
    return Rules::parse(text, "test.rules");
}

/// Does the rule want this event? Where the kernel decides it must say the same, and it
/// must never drop what the rule wants.
inline bool wants(const std::string& rule, const Event& event) {
    const Rules rules = parse(rule);
    const bool wanted = rules.matches(event);
    const bool passed = kernel_passes(rules.compile(), event);
    EXPECT_TRUE(passed || !wanted) << rule << ": the kernel drops what the rule wants";
    if (rules.kernel_decides(event.row)) {
        EXPECT_EQ(passed, wanted) << rule;
    }
    return wanted;
}

inline bool wants(const std::string& rule, std::string_view name, std::array<uint64_t, EBT_ARGS> args) {
    Event event = event_of(name);
    event.args = args;
    return wants(rule, event);
}

inline Event with(const std::function<void(Event&)>& change, std::string_view name = "read") {
    Event event = event_of(name);
    change(event);
    return event;
}

/// Whether the rule wants the removal of that file.
inline bool wants_path(const std::string& rule, std::string_view path) {
    Event event = event_of("unlink");
    add_path(event, path);
    return wants(rule, event);
}

} // namespace rules_test
