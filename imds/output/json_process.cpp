// SPDX-License-Identifier: MIT
#include "imds/output/json_process.hpp"

#include "imds/output/formatter.hpp"
#include "telemetry/event/facts.hpp"

namespace telemetry::imds {
namespace {

/// Removes the closing brace of the object that was just written, so that members can be added.
void reopen(JsonLine& line) {
    line.cut(line.view().size() - 1);
}

/// If a string is not UTF-8, the bytes of the whole list are added to linux.telemetry.raw.
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

void put_container(JsonLine& line, const Container& container) {
    line.put("{\"id\":");
    line.put_derived(container.id);
    if (!container.runtime.empty()) {
        line.put(",\"runtime\":");
        line.put_quoted(container.runtime);
    }
    line.put('}');
}

} // namespace

JsonProcess::JsonProcess(const FormatContext& context, JsonEcs& ecs, const UserNames* users)
    : ecs_(ecs), users_(users), boot_time_ns_(context.boot_time_ns) {}

void JsonProcess::put(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
    const Event& event = caller.process.event();
    if (caller.is_known) {
        put_known_process(line, event);
        reopen(line);
    } else {
        line.put(",\"process\":{\"pid\":");
        line.put_decimal(event.pid);
        line.put(",\"thread\":{\"id\":");
        line.put_decimal(event.tid);
        line.put('}');
    }
    put_parent(line, caller, ancestors);
    line.put('}');
    put_user(line, event);
    if (caller.facts.container.id.empty())
        return;
    line.put(",\"container\":");
    put_container(line, caller.facts.container);
}

/// Writes the process as in every event, with its arguments; put_parent() adds the parent.
void JsonProcess::put_known_process(JsonLine& line, const Event& event) {
    Event shown = event;
    shown.kind = EBT_SYSCALL;
    shown.carries_image = true;
    shown.missing |= EBT_MISSING_PPID;
    ecs_.put_process(line, shown);
}

void JsonProcess::put_parent(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
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

/// Writes the members of an object.
void JsonProcess::put_node(JsonLine& line, const LineageNode& node, const FieldName& name) {
    line.put("\"pid\":");
    line.put_decimal(node.key.pid);
    put_start(line, node);
    line.put(",\"name\":");
    line.put_string({name.base, name.index, "name"}, node.comm);
    if (node.program) {
        if (!node.program->executable.empty()) {
            line.put(",\"executable\":");
            line.put_string({name.base, name.index, "executable"}, node.program->executable);
        }
        put_args(line, name, *node.program);
    }
    if (node.has_ids) {
        line.put(",\"user\":{\"id\":");
        line.put_quoted_number(node.ids.uid);
        put_user_name(line, node.ids.uid);
        line.put(",\"group\":{\"id\":");
        line.put_quoted_number(node.ids.gid);
        line.put("},\"effective\":{\"id\":");
        line.put_quoted_number(node.ids.euid);
        line.put("}}");
    }
    if (!node.facts.container.id.empty()) {
        line.put(",\"container\":");
        put_container(line, node.facts.container);
    }
    if (node.has_ended)
        line.put(",\"ended\":true");
}

/// A start time that was read from /proc is too coarse for an entity id.
void JsonProcess::put_start(JsonLine& line, const LineageNode& node) {
    if (node.has_start) {
        line.put(",\"entity_id\":\"");
        ecs_.put_entity(line, node.key.pid, node.key.start_time_ns);
        line.put('"');
    }
    if (boot_time_ns_) {
        line.put(",\"start\":\"");
        start_.put(line, static_cast<uint64_t>(boot_time_ns_) + node.key.start_time_ns);
        line.put('"');
    }
}

void JsonProcess::put_user(JsonLine& line, const Event& event) {
    const size_t before = line.view().size();
    ecs_.put_user(line, event);
    if (line.view().size() == before || (event.missing & EBT_MISSING_CREDENTIALS))
        return;
    reopen(line);
    put_user_name(line, event.uid);
    line.put('}');
}

void JsonProcess::put_user_name(JsonLine& line, uint32_t uid) {
    const std::string_view name = users_ ? users_->name_of(uid) : std::string_view();
    if (name.empty())
        return;
    line.put(",\"name\":");
    line.put_derived(name);
}

void JsonProcess::put_linux(JsonLine& line, const Caller& caller, const Ancestors& ancestors) {
    line.key("\"process\":{");
    const ProcessFacts& facts = caller.facts;
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

void JsonProcess::put_ancestors(JsonLine& line, const Ancestors& ancestors) {
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

void JsonProcess::put_reader(JsonLine& line, const Caller& caller) {
    const Event& event = caller.process.event();
    line.put("\"pid\":");
    line.put_decimal(event.pid);
    if (!caller.is_known)
        return;
    if (!(event.missing & EBT_MISSING_START_TIME)) {
        line.put(",\"entity_id\":\"");
        ecs_.put_entity(line, event.pid, event.start_time_ns);
        line.put('"');
    }
    line.put(",\"name\":");
    line.put_string({"linux.imds.reader.name"}, event.comm);
    line.put_text("\"executable\":", {"linux.imds.reader.executable"}, event.image.exe);
}

} // namespace telemetry::imds
