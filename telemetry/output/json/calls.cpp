// SPDX-License-Identifier: MIT
#include "telemetry/output/json/calls.hpp"

#include <algorithm>

#include "telemetry/output/ecs.hpp"

namespace telemetry {
namespace {

using ebpf_loader::ArgKind;

std::string in_quotes(std::string_view name) {
    return '"' + std::string(name) + '"';
}

bool is_followed(ArgKind kind) {
    switch (kind) {
    case ArgKind::path:
    case ArgKind::path_text:
    case ArgKind::path_new_cwd:
    case ArgKind::path_new_root:
    case ArgKind::string:
    case ArgKind::argv:
    case ArgKind::envp:
    case ArgKind::structure:
    case ArgKind::bytes:
        return true;
    default:
        return false;
    }
}

} // namespace

std::string json_class(const EcsClass& is, std::string_view name, const FieldSet& fields) {
    std::string json = fields.has(Field::event_kind) ? R"(,"kind":"event")" : "";
    json += R"(,"action":)" + in_quotes(is.action.empty() ? name : is.action);
    if (fields.has(Field::event_category))
        json += R"(,"category":[)" + std::string(is.category) + ']';
    if (fields.has(Field::event_type))
        json += R"(,"type":[)" + std::string(is.type) + ']';
    return json;
}

std::string json_code(std::string_view code, const FieldSet& fields) {
    return fields.has(Field::event_code) ? R"(,"code":)" + in_quotes(code) : "";
}

JsonCall::JsonCall(const ebpf_loader::SyscallRow& row, const ConstantNames& names, const FieldSet& fields) {
    code = json_code(row.name, fields);
    done = json_class(ecs_class(row), row.name, fields);
    failed = json_class(ecs_class_of_failure(row.event_class), row.name, fields);
    syscall = R"("syscall":{)";
    if (fields.has(Field::linux_syscall_name))
        syscall += R"("name":)" + in_quotes(row.name);
    if (fields.has(Field::linux_syscall_nr))
        syscall += syscall.back() == '{' ? R"("nr":)" : R"(,"nr":)";
    is_open = row.event_class == ebpf_loader::EventClass::file_open;
    open_flags = open_flags_of(row);
    for (size_t i = 0; i < row.arguments && i < argument.size(); ++i) {
        const ebpf_loader::Argument& from = row.argument[i];
        argument[i].key = in_quotes(from.name) + ":\"";
        argument[i].name = from.name;
        argument[i].is_flags = from.kind == ArgKind::flags;
        argument[i].is_shown_by_what_it_points_to = is_followed(from.kind);
        if (from.kind == ArgKind::flags || from.kind == ArgKind::enumeration || from.kind == ArgKind::signal)
            argument[i].constants = names.find_set(from.flag_set);
        names_constants |= argument[i].constants != ConstantNames::no_set;
        if (!argument[i].is_shown_by_what_it_points_to)
            shown[i] = UINT64_MAX;
    }
}

JsonCalls::JsonCalls(const ConstantNames& names, const FieldSet& fields) : names_(names), fields_(fields) {
    for (const ebpf_loader::SyscallRow& row : ebpf_loader::syscall_rows())
        calls_.emplace_back(row, names, fields);
}

const JsonCall& JsonCalls::of(const ebpf_loader::SyscallRow& row) {
    const auto table = ebpf_loader::syscall_rows();
    if (&row >= table.data() && &row < table.data() + table.size())
        return calls_[static_cast<size_t>(&row - table.data())];
    auto other = std::ranges::find(others_, &row, [](const auto& pair) { return pair.first; });
    if (other == others_.end())
        other = others_.emplace(others_.end(), &row, JsonCall(row, names_, fields_));
    return other->second;
}

} // namespace telemetry
