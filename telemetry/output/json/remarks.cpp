// SPDX-License-Identifier: MIT
#include "telemetry/output/json/remarks.hpp"

#include <algorithm>
#include <bit>

#include <ebpf_loader/constants.hpp>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/remarks.hpp"
#include "telemetry/output/structure.hpp"

namespace telemetry {

/// Did the call run? Of one that a filter or a tracer had the chance to answer and that ran, nothing.
void put_json_execution(JsonLine& line, const Event& event) {
    if (!event.skipped() && !event.unproven())
        return;
    if (event.skipped() && line.wants(Field::linux_syscall_executed))
        line.key("\"executed\":false");
    else if (!event.skipped() && line.wants(Field::linux_syscall_unproven))
        line.key("\"unproven\":true");
    if (!line.wants(Field::linux_syscall_answered_by))
        return;
    line.key("\"answered_by\":");
    line.put_quoted(supervisor_name(event));
}

void put_json_namespaces(JsonLine& line, const ImageNamespaces& namespaces, const ImageNamespaces& first) {
    if (namespaces == first)
        return;
    const size_t begin = line.view().size();
    line.key("\"namespace\":{");
    const auto put = [&](Field field, std::string_view name, uint32_t number, uint32_t first_number) {
        if (number == 0 || number == first_number || !line.wants(field))
            return;
        line.next();
        line.put_quoted(name);
        line.put(':');
        line.put_decimal(number);
    };
    put(Field::linux_namespace_mnt, "mnt", namespaces.mnt, first.mnt);
    put(Field::linux_namespace_pid, "pid", namespaces.pid, first.pid);
    put(Field::linux_namespace_user, "user", namespaces.user, first.user);
    line.end_object(begin);
}

void put_json_capabilities(JsonLine& line, uint64_t set) {
    const auto known = ebpf_loader::constants_of("capability");
    line.put('[');
    for (; set; set &= set - 1) {
        const auto number = static_cast<uint64_t>(std::countr_zero(set));
        const auto constant = std::ranges::find(known, number, &ebpf_loader::Constant::value);
        line.key("\"CAP_");
        if (constant == known.end()) // of a newer kernel
            line.put_decimal(number);
        else
            line.put(constant->name.substr(4));
        line.put('"');
    }
    line.put(']');
}

namespace {

void put_member_value(JsonLine& line, const StructureMember& member, std::string_view bytes,
                      ConstantNames& names) {
    using Form = StructureMember::Form;
    if (member.form == Form::flags)
        return names.put_flags(line, names.find_set(member.names), value_of(member, bytes));
    if (member.form == Form::capabilities)
        return put_json_capabilities(line, value_of(member, bytes));
    line.put('"');
    put_member(line, member, bytes);
    line.put('"');
}

} // namespace

void put_json_structure(JsonLine& line, const Event& event, ConstantNames& names) {
    const FieldName name = {"linux.syscall.structures", -1, argument_name(event, event.structure_argument)};
    line.notes.add(name, event.structure);
    if (!event.structure.known())
        return;
    line.key("\"structures\":{");
    line.put_quoted(name.leaf);
    line.put(":{");
    for (const StructureMember& member : event.structure_layout->members) {
        if (!has_member(event.structure.bytes, member))
            continue;
        line.next();
        line.put_quoted(member.name);
        line.put(':');
        put_member_value(line, member, event.structure.bytes, names);
    }
    line.put("}}");
}

} // namespace telemetry
