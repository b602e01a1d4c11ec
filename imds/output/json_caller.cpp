// SPDX-License-Identifier: MIT
#include "imds/output/json_caller.hpp"

#include "imds/output/formatter.hpp"
#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/container.hpp"

namespace telemetry::imds {
namespace {

/// When a string is no UTF-8, the bytes of the whole list are added as raw.
void put_args(JsonLine& line, const FieldName& name, const ExecutedProgram& program) {
    if (program.argv.empty())
        return;
    bool is_utf8 = true;
    line.put(",\"args\":[");
    for (std::string_view strings = program.argv; !strings.empty();) {
        line.next();
        is_utf8 &= line.put_derived(next_string(strings));
    }
    line.put(']');
    if (!is_utf8)
        line.add_raw(name, program.argv);
}

void put_set(JsonLine& line, std::string_view name, uint64_t set) {
    line.next();
    line.put_quoted(name);
    line.put(":\"0x");
    line.put_hex(set);
    line.put('"');
}

void put_capabilities(JsonLine& line, const CapabilitySets& sets) {
    line.key("\"capabilities\":{");
    put_set(line, "effective", sets.effective);
    put_set(line, "permitted", sets.permitted);
    put_set(line, "inheritable", sets.inheritable);
    put_set(line, "bounding", sets.bounding);
    put_set(line, "ambient", sets.ambient);
    line.put('}');
}

void put_namespaces(JsonLine& line, const Namespaces& spaces) {
    const std::pair<std::string_view, uint32_t> all[] = {
        {"cgroup", spaces.cgroup}, {"ipc", spaces.ipc},   {"mnt", spaces.mnt}, {"net", spaces.net},
        {"pid", spaces.pid},       {"user", spaces.user}, {"uts", spaces.uts}};
    line.key("\"namespaces\":{");
    for (const auto& [name, inode] : all) {
        if (!inode)
            continue;
        line.next();
        line.put_quoted(name);
        line.put(':');
        line.put_quoted_number(inode);
    }
    line.put('}');
}

} // namespace

JsonCaller::JsonCaller(const FormatContext& context)
    : process_(context), boot_time_ns_(context.boot_time_ns) {}

void JsonCaller::put(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
    const Event& event = caller.process.event();
    if (caller.is_known) {
        Event shown = event; // whatever it is of: the process alone counts, and its ancestors follow
        shown.kind = EBT_SYSCALL;
        shown.carries_image = true;
        shown.lineage = nullptr;
        shown.missing |= EBT_MISSING_PPID;
        process_.put(line, shown, false);
    } else {
        line.put(",\"process\":{\"pid\":");
        line.put_decimal(event.pid);
        line.put(",\"thread\":{\"id\":");
        line.put_decimal(event.tid);
        line.put('}');
    }
    put_parent(line, caller, ancestors);
    line.put('}');
    process_.put_user(line, event);
    put_json_container(line, caller.facts.container);
    put_json_pod(line, caller.facts.container);
}

void JsonCaller::put_parent(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
    const Event& event = caller.process.event();
    if (!ancestors.empty()) {
        line.put(",\"parent\":{");
        put_node(line, *ancestors.front(), {"process.parent", -1, "args"});
        line.put('}');
    } else if (!(event.missing & EBT_MISSING_PPID)) {
        line.put(",\"parent\":{\"pid\":");
        line.put_decimal(event.ppid);
        line.put('}');
    }
}

/// The inside of an object.
void JsonCaller::put_node(JsonLine& line, const LineageNode& node, const FieldName& name) {
    line.put("\"pid\":");
    line.put_decimal(node.key.pid);
    put_start(line, node);
    line.put(",\"name\":");
    line.put_derived(node.name());
    if (node.program) {
        if (!node.program->executable.empty()) {
            line.put(",\"executable\":");
            line.put_string({name.base, name.index, "executable"}, node.program->executable);
        }
        put_args(line, name, *node.program);
    }
    if (node.has_ids) {
        line.put(",\"user\":{");
        process_.put_user_name(line, node.ids.euid);
        line.put("},\"group\":{");
        process_.put_group_name(line, node.ids.egid);
        line.put("},\"real_user\":{");
        process_.put_user_name(line, node.ids.uid);
        line.put('}');
    }
    put_json_container(line, node.facts.container);
    if (node.has_ended)
        line.put(",\"ended\":true");
}

/// A start time of /proc is too coarse for an entity id.
void JsonCaller::put_start(JsonLine& line, const LineageNode& node) {
    if (node.has_start) {
        line.put(",\"entity_id\":\"");
        process_.put_entity(line, node.key.pid, node.key.start_time_ns);
        line.put('"');
    }
    if (boot_time_ns_) {
        line.put(",\"start\":\"");
        start_.put(line, static_cast<uint64_t>(boot_time_ns_) + node.key.start_time_ns);
        line.put('"');
    }
}

void JsonCaller::put_linux(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
    line.key("\"process\":{");
    const ProcessFacts& facts = caller.facts;
    if (const Text& tty = caller.process.event().image.tty; tty.known()) {
        line.key("\"tty\":");
        line.put_string({"linux.process.tty"}, tty.bytes);
    }
    if (facts.capabilities)
        put_capabilities(line, *facts.capabilities);
    if (facts.namespaces.any())
        put_namespaces(line, facts.namespaces);
    if (!facts.cgroup.empty()) {
        line.key("\"cgroup\":");
        line.put_string({"linux.process.cgroup"}, facts.cgroup);
    }
    if (facts.inherited)
        line.key("\"inherited\":true");
    put_ancestors(line, ancestors);
    line.put('}');
}

void JsonCaller::put_ancestors(JsonLine& line, const Ancestors& ancestors) {
    if (ancestors.empty())
        return;
    line.key("\"ancestors\":[");
    FieldName name = {"linux.process.ancestors", 0, "args"};
    for (const auto& ancestor : ancestors) {
        line.key("{");
        put_node(line, *ancestor, name);
        line.put('}');
        ++name.index;
    }
    line.put(']');
}

void JsonCaller::put_reader(JsonLine& line, const Caller& caller) {
    const Event& event = caller.process.event();
    line.put("\"pid\":");
    line.put_decimal(event.pid);
    if (!caller.is_known)
        return;
    if (!(event.missing & EBT_MISSING_START_TIME)) {
        line.put(",\"entity_id\":\"");
        process_.put_entity(line, event.pid, event.start_time_ns);
        line.put('"');
    }
    line.put(",\"name\":");
    line.put_string({"linux.imds.reader.name"}, event.comm);
    line.put_text("\"executable\":", {"linux.imds.reader.executable"}, event.image.exe);
}

} // namespace telemetry::imds
