// SPDX-License-Identifier: MIT
#include "telemetry/output/ocsf/formatter.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/head.hpp"
#include "telemetry/output/ocsf/objects.hpp"
#include "telemetry/output/remarks.hpp"

namespace telemetry {
namespace {

void add(std::string& json, std::string_view key, std::string_view value) {
    if (value.empty())
        return;
    json += json.back() == '{' ? "\"" : ",\"";
    json.append(key).append("\":\"").append(json_escaped(value)) += '"';
}

/// The beginning of a line. The schema's own attributes of a host, a container and of Linux's users are in
/// use.
std::string metadata_of(const FormatContext& context) {
    std::string json = R"({"metadata":{"version":")" + std::string(ocsf_version) + R"(","product":{)";
    add(json, "name", context.agent.type.empty() ? "ebpf_telemetry" : context.agent.type);
    add(json, "vendor_name", "ebpf_telemetry");
    add(json, "version", context.agent.version);
    add(json, "uid", context.agent.id);
    return json +
           R"(},"log_name":"ebpf_telemetry","profiles":["container","host","linux/linux_users"],"uid":")" +
           json_escaped(context.agent.ephemeral_id) + '-';
}

std::string device_of(const FormatContext& context) {
    std::string json = R"(,"device":{"type_id":0,"type":"Unknown")";
    add(json, "hostname", context.node.empty() ? "localhost" : context.node);
    add(json, "uid", context.host.id);
    if (!context.host.ip.empty())
        add(json, "ip", context.host.ip.front());
    add(json, "boot_uid", context.boot_id);
    json += R"(,"os":{"type_id":200,"type":"Linux")";
    add(json, "name", context.host.os_name.empty() ? "Linux" : context.host.os_name);
    add(json, "version", context.host.os_version);
    add(json, "kernel_release", context.host.kernel);
    return json + "}}";
}

/// Does the object `process` of the event mean the process that made the call?
bool is_self(const Event& event, OcsfKind kind) {
    const bool is_child = event.child_status == Status::ok;
    return kind.of == OcsfClass::process && !is_child && !ocsf_target(event);
}

bool is_failed_exec(const Event& event) {
    return is_exec_call(event) && !has_new_image(event);
}

} // namespace

OcsfFormatter::OcsfFormatter(const FormatContext& context)
    : ids_(context), process_(context, ids_), linux_(context), first_(context.first),
      metadata_(metadata_of(context)), device_(device_of(context)) {}

void OcsfFormatter::format(const Event& event, std::string& out) {
    Ends ends;
    SocketRole role = SocketRole::none;
    if (event.sockaddr.status != Status::absent || event.socket_status != Status::absent) {
        role = socket_role(event);
        ends = ends_of(event, role);
    }
    const OcsfKind kind = ocsf_kind(event, has_ocsf_endpoint(ends));
    line_.clear();
    line_.notes.set_foreign(is_elsewhere(event.image.namespaces.mnt, first_.mnt));
    line_.put(std::string_view(metadata_));
    put_uid(event);
    begin(event.time_ns);
    if (event.fold)
        put_fold(*event.fold, event.time_ns);
    put_classification(event, kind);
    put_status(event);
    line_.put(std::string_view(device_));
    put_actor(event, kind);
    put_object(event, kind, ends, role);
    put_unmapped(event, ends);
    end(out);
}

void OcsfFormatter::put_uid(const Event& event) {
    line_.put_decimal(event.cpu);
    line_.put('-');
    line_.put_decimal(event.slot);
    line_.put('-');
    line_.put_decimal(event.sequence);
    line_.put(R"(","event_code":")");
    put_ocsf_call_name(line_, event);
    line_.put('"');
    if (!event.key.empty()) {
        line_.put(",\"labels\":[\"");
        put_json_escaped(line_, event.key);
        line_.put("\"]");
    }
    line_.put('}');
}

void OcsfFormatter::begin(uint64_t time_ns) {
    line_.put(",\"time\":");
    line_.put_decimal(time_ns / ns_per_ms);
    line_.put(R"(,"severity_id":1,"severity":"Informational",)");
}

void OcsfFormatter::put_fold(const Fold& fold, uint64_t last_ns) {
    const std::pair<std::string_view, uint64_t> members[] = {{"\"count\":", fold.count},
                                                             {",\"start_time\":", fold.first_ns / ns_per_ms},
                                                             {",\"end_time\":", last_ns / ns_per_ms}};
    for (const auto& [key, value] : members) {
        line_.put(key);
        line_.put_decimal(value);
    }
    line_.put(',');
}

void OcsfFormatter::put_classification(const Event& event, OcsfKind kind) {
    const bool is_other = kind.activity == ocsf_other;
    const uint32_t number = static_cast<uint32_t>(kind.of) << 8 | kind.activity;
    std::string& text = classifications_[{number, is_other ? event.call : nullptr}];
    if (text.empty()) {
        LineBuffer name;
        put_ocsf_call_name(name, event);
        text = ocsf_classification(kind, name.view());
    }
    line_.put(std::string_view(text));
}

void OcsfFormatter::put_status(const Event& event) {
    const Outcome outcome = outcome_of(event);
    if (outcome == Outcome::success)
        line_.put(R"(,"status_id":1,"status":"Success")");
    else if (outcome == Outcome::failure)
        line_.put(R"(,"status_id":2,"status":"Failure")");
    else
        line_.put(R"(,"status_id":0,"status":"Unknown")");
    const std::string_view error = event.kind == EBT_SYSCALL && event.returns && event.ret < 0
                                       ? error_name(event.ret)
                                       : std::string_view();
    if (error.empty())
        return;
    line_.put(",\"status_code\":");
    line_.put_quoted(error);
}

/// Who did it. Of what launches a program that is its parent.
void OcsfFormatter::put_actor(const Event& event, OcsfKind kind) {
    line_.put(",\"actor\":{\"process\":");
    const bool has_launched =
        kind == OcsfKind{OcsfClass::process, ocsf::process_launch} && has_new_image(event);
    if (has_launched) {
        if (!process_.put_parent(line_, event))
            process_.put_short(line_, event);
    } else if (is_self(event, kind) && !is_failed_exec(event)) {
        process_.put_short(line_, event);
    } else {
        process_.put(line_, event, ocsf_actor);
    }
    if (!has_launched && !(event.missing & EBT_MISSING_CREDENTIALS)) {
        line_.put(",\"user\":");
        process_.put_user(line_, event, event.uid);
    }
    line_.put('}');
}

void OcsfFormatter::put_process(const Event& event) {
    line_.put(",\"process\":");
    if (event.child_status == Status::ok)
        process_.put_child(line_, event);
    else if (is_failed_exec(event))
        process_.put_failed(line_, event);
    else if (const uint32_t target = ocsf_target(event)) {
        line_.put("{\"pid\":");
        line_.put_decimal(target);
        line_.put('}');
    } else
        process_.put(line_, event, ocsf_process);
    if (is_exec_call(event) || event.kind == EBT_EXEC)
        line_.put(R"(,"launch_type_id":3,"launch_type":"Exec")");
    else if (event.child_status == Status::ok)
        line_.put(R"(,"launch_type_id":2,"launch_type":"Fork")");
    const WaitStatus status(event.ret);
    if (event.kind != EBT_EXIT || status.signal)
        return;
    line_.put(",\"exit_code\":");
    line_.put_decimal(status.exit_code);
}

/// The groups that a process has from now on.
void OcsfFormatter::put_session(const Event& event) {
    line_.put(",\"user\":");
    process_.put_user(line_, event, event.euid);
    line_.put(",\"groups\":[");
    process_.put_group(line_, event, event.egid);
    line_.put(']');
    if (event.ses == UINT32_MAX || (event.missing & EBT_MISSING_AUDIT))
        return;
    line_.put(",\"session\":{\"uid\":");
    line_.put_quoted_number(event.ses);
    line_.put('}');
}

void OcsfFormatter::put_object(const Event& event, OcsfKind kind, const Ends& ends, SocketRole role) {
    switch (kind.of) {
    case OcsfClass::process:
        return put_process(event);
    case OcsfClass::file_system:
        return put_ocsf_files(line_, event, process_);
    case OcsfClass::network:
        return put_ocsf_network(line_, event, ends, role, community_id_);
    case OcsfClass::module:
        return put_ocsf_module(line_, event, process_);
    case OcsfClass::authorize_session:
        return put_session(event);
    default:
        return put_ocsf_kernel(line_, event);
    }
}

/// What the schema has no place for, by the names that it has in JSON.
void OcsfFormatter::put_unmapped(const Event& event, const Ends& ends) {
    line_.put(",\"unmapped\":{\"time\":\"");
    time_.put(line_, event.time_ns);
    line_.put('"');
    if (has_new_image(event) && event.image.argv.known()) {
        line_.put(",\"args\":");
        put_json_strings(line_, {"unmapped.args"}, event.image.argv.bytes);
    }
    if (!(event.missing & EBT_MISSING_CREDENTIALS)) {
        const std::pair<std::string_view, uint32_t> ids[] = {{",\"suid\":", event.suid},
                                                             {",\"sgid\":", event.sgid}};
        for (const auto& [key, id] : ids) {
            line_.put(key);
            line_.put_decimal(id);
        }
    }
    if (const PathField* file = event.paths ? files_of(event).file : nullptr; file && file->has_inode) {
        line_.put(",\"file\":{");
        put_json_inode(line_, file->inode);
        line_.put('}');
    }
    linux_.put(line_, event, event.call ? &linux_.call(*event.call) : nullptr, ends, ids_);
    line_.put('}');
}

void OcsfFormatter::format(const LossEvent& loss, std::string& out) {
    line_.clear();
    line_.put(std::string_view(metadata_));
    line_.put("loss-");
    line_.put_decimal(++losses_);
    line_.put(R"(","event_code":"loss"})");
    line_.put(",\"time\":");
    line_.put_decimal(loss.time_ns / ns_per_ms);
    line_.put(R"(,"severity_id":3,"severity":"Medium",)");
    line_.put(std::string_view(ocsf_classification({OcsfClass::base, ocsf_other}, "loss")));
    line_.put(R"(,"status_id":2,"status":"Failure","message":")");
    line_.put_decimal(loss.count);
    line_.put(" lost: ");
    put_json_escaped(line_, loss.cause);
    line_.put('"');
    line_.put(std::string_view(device_));
    line_.put(",\"unmapped\":{\"time\":\"");
    time_.put(line_, loss.time_ns);
    line_.put('"');
    linux_.put_loss(line_, loss);
    line_.put('}');
    end(out);
}

/// What is part of the stream has to be an event of the schema; statistics and the like are not.
void OcsfFormatter::format(const Document& document, std::string& out) {
    std::string json = document.json();
    if (!document.time_ns()) {
        out += json;
        return;
    }
    while (!json.empty() && json.back() == '\n')
        json.pop_back();
    line_.clear();
    line_.put(std::string_view(metadata_));
    line_.put("document-");
    line_.put_decimal(++documents_);
    line_.put("\"}");
    begin(document.time_ns());
    line_.put(std::string_view(ocsf_classification({OcsfClass::base, ocsf_other}, "report")));
    line_.put(std::string_view(device_));
    line_.put(",\"unmapped\":");
    line_.put(std::string_view(json));
    line_.put('}');
    end(out);
}

void OcsfFormatter::end(std::string& out) {
    line_.put("}\n");
    out.append(line_.view());
}

const Format ocsf_format = {
    .name = "ocsf",
    .shows_lineage = true,
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<OcsfFormatter>(context);
    },
};

} // namespace telemetry
