// SPDX-License-Identifier: MIT
#include "telemetry/output/json/calls.hpp"

#include <algorithm>

#include "telemetry/output/ecs.hpp"

namespace telemetry {
namespace {

using ebpf_loader::ArgKind;

std::string quoted(std::string_view name) {
    return '"' + std::string(name) + '"';
}

} // namespace

std::string json_class(const EcsClass& is, std::string_view name) {
    return R"("action":)" + quoted(is.action.empty() ? name : is.action) + R"(,"category":[)" +
           std::string(is.category) + R"(],"type":[)" + std::string(is.type) + ']';
}

JsonCall::JsonCall(const ebpf_loader::SyscallRow& row, const ConstantNames& names) {
    done = json_class(ecs_class(row.event_class), row.name);
    failed = json_class(ecs_class_of_failure(row.event_class), row.name);
    syscall = R"("syscall":{"name":)" + quoted(row.name) + R"(,"nr":)";
    is_open = row.event_class == ebpf_loader::EventClass::file_open;
    open_flags = open_flags_of(row);
    for (size_t i = 0; i < row.arguments && i < argument.size(); ++i) {
        const ebpf_loader::Argument& from = row.argument[i];
        argument[i].key = quoted(from.name) + ":\"";
        argument[i].name = from.name;
        argument[i].is_flags = from.kind == ArgKind::flags;
        if (from.kind == ArgKind::flags || from.kind == ArgKind::enumeration || from.kind == ArgKind::signal)
            argument[i].constants = names.find_set(from.flag_set);
        names_constants |= argument[i].constants != ConstantNames::no_set;
    }
}

JsonCalls::JsonCalls(const ConstantNames& names) : names_(names) {
    for (const ebpf_loader::SyscallRow& row : ebpf_loader::syscall_rows())
        calls_.emplace_back(row, names);
}

const JsonCall& JsonCalls::of(const ebpf_loader::SyscallRow& row) {
    const auto table = ebpf_loader::syscall_rows();
    if (&row >= table.data() && &row < table.data() + table.size())
        return calls_[static_cast<size_t>(&row - table.data())];
    auto other = std::ranges::find(others_, &row, [](const auto& pair) { return pair.first; });
    if (other == others_.end())
        other = others_.emplace(others_.end(), &row, JsonCall(row, names_));
    return other->second;
}

} // namespace telemetry
