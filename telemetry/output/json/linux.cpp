// SPDX-License-Identifier: MIT
#include "telemetry/output/json/linux.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/notes.hpp"
#include "telemetry/output/json/remarks.hpp"
#include "telemetry/output/json/socket.hpp"

namespace telemetry {
namespace {

using ebpf_loader::ArgKind;

constexpr uint32_t unset_id = UINT32_MAX;

/// An argument as wide as the kernel takes it.
uint64_t argument_value(const Event& event, size_t index, bool& narrow) {
    narrow = ebpf_loader::has_narrow_arguments(event.abi) ||
             ebpf_loader::is_32_bit(event.call->argument[index].kind);
    return narrow ? static_cast<uint32_t>(event.args[index]) : event.args[index];
}

/// As strtoll() and strtoull() with base 0 read it.
void put_argument(JsonLine& line, const Event& event, size_t index) {
    bool narrow = false;
    const uint64_t value = argument_value(event, index, narrow);
    switch (event.call->argument[index].kind) {
    case ArgKind::number:
    case ArgKind::unsigned_int:
    case ArgKind::size:
    case ArgKind::uid:
    case ArgKind::gid:
        line.put_decimal(value);
        break;
    case ArgKind::integer:
    case ArgKind::offset:
    case ArgKind::fd:
    case ArgKind::fd_socket:
    case ArgKind::fd_number:
    case ArgKind::dirfd:
    case ArgKind::enumeration:
    case ArgKind::signal:
    case ArgKind::pid:
        line.put_signed(narrow ? static_cast<int32_t>(value) : static_cast<int64_t>(value));
        break;
    case ArgKind::mode:
        line.put('0');
        line.put_octal(value);
        break;
    default: // addresses and flags
        line.put("0x");
        line.put_hex(value);
        break;
    }
}

/// Strings, all of them: 64 bits do not fit a JSON number everywhere, and a name has one
/// type, whichever call it belongs to. Where in memory a path was is of no use to anybody.
void put_arguments(JsonLine& line, const Event& event, const JsonCall& call) {
    const size_t begin = line.view().size();
    line.key("\"args\":{");
    for (size_t i = 0; i < event.call->arguments && i < event.args.size(); ++i) {
        if (call.argument[i].is_shown_by_what_it_points_to)
            continue;
        line.next();
        line.put(call.argument[i].key);
        put_argument(line, event, i);
        line.put('"');
    }
    line.end_object(begin);
}

void put_unknown_arguments(JsonLine& line, const Event& event) {
    line.key("\"args\":{");
    for (size_t i = 0; i < event.args.size(); ++i) {
        line.key("\"a");
        line.put(static_cast<char>('0' + i));
        line.put("\":\"0x");
        line.put_hex(event.args[i]);
        line.put('"');
    }
    line.put('}');
}

/// What the caller wrote, where the kernel acted on another path.
void put_called(JsonLine& line, const FieldName& name, const Event& event, size_t path) {
    if (!event.witnessed)
        return;
    line.put_text("\"called_path\":", name, event.witnessed->called[path]);
    line.notes.add(name, event.witnessed->called[path]);
}

/// Each path with the argument it came from; where there is one alone, `file` is enough.
void put_paths(JsonLine& line, const Event& event) {
    line.key("\"paths\":[");
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        const PathField& path = event.path[i];
        const FieldName name = {"linux.syscall.paths", static_cast<int>(i), "path"};
        line.key("{\"argument\":");
        line.put_quoted(path.argument == EBT_ARG_RET ? "return" : argument_name(event, path.argument));
        line.put_text("\"path\":", name, path);
        line.notes.add_path(name, path, is_free_text(event, path));
        put_called(line, {"linux.syscall.paths", static_cast<int>(i), "called_path"}, event, i);
        if (path.has_inode)
            put_json_inode(line, path.inode);
        line.put('}');
    }
    line.put(']');
}

void put_strings(JsonLine& line, const Event& event) {
    line.key("\"strings\":{");
    for (size_t i = 0; i < event.strings && i < event.string.size(); ++i) {
        const StringField& string = event.string[i];
        const FieldName name = {"linux.syscall.strings", -1, argument_name(event, string.argument)};
        if (name.leaf.empty())
            continue;
        line.notes.add(name, string);
        if (!string.known())
            continue;
        line.next();
        line.put_quoted(name.leaf);
        line.put(':');
        line.put_string(name, string.bytes);
    }
    line.put('}');
}

/// What a call names by strings.
void put_strings_of_call(JsonLine& line, const Event& event) {
    if (event.paths == 1 && line.wants(Field::linux_syscall_called_path))
        put_called(line, {"linux.syscall.called_path"}, event, 0);
    if (event.paths > 1 && line.wants(Field::linux_syscall_paths))
        put_paths(line, event);
    if (event.strings && line.wants(Field::linux_syscall_strings))
        put_strings(line, event);
    if (has_new_image(event) || !line.wants(Field::linux_syscall_argv))
        return;
    if (event.exec_argv.known()) {
        line.key("\"argv\":");
        put_json_strings(line, {"linux.syscall.argv"}, event.exec_argv.bytes);
    }
    if (is_exec_call(event))
        line.notes.add_expected({"linux.syscall.argv"}, event.exec_argv);
}

/// Numbers of descriptors that messages carry.
void put_passed(JsonLine& line, const PassedDescriptors& passed) {
    if (line.wants(Field::linux_passed_fds)) {
        line.notes.add_passed({"linux.passed_fds"}, passed);
        if (!passed.kept)
            return;
        line.key("\"passed_fds\":[");
        for (size_t i = 0; i < passed.kept; ++i) {
            line.next();
            line.put_signed(passed.fd[i]);
        }
        line.put(']');
    }
    if (passed.count > passed.kept && line.wants(Field::linux_passed_fds_count)) {
        line.key("\"passed_fds_count\":");
        line.put_decimal(passed.count);
    }
}

void put_interpreter(JsonLine& line, const PathField& interpreter) {
    constexpr FieldName name = {"linux.exec.interpreter"};
    if (!interpreter.known() || !line.wants(Field::linux_exec))
        return;
    line.key("\"exec\":{");
    line.put_text("\"interpreter\":", name, interpreter);
    line.notes.add_path(name, interpreter, false);
    line.put('}');
}

void put_audit(JsonLine& line, const Event& event) {
    const bool has_auid = event.auid != unset_id && line.wants(Field::linux_audit_auid);
    const bool has_session = event.ses != unset_id && line.wants(Field::linux_audit_ses);
    if ((event.missing & EBT_MISSING_AUDIT) || (!has_auid && !has_session))
        return;
    line.key("\"audit\":{");
    if (has_auid) {
        line.put("\"auid\":");
        line.put_decimal(event.auid);
    }
    if (has_session) {
        line.key("\"ses\":");
        line.put_decimal(event.ses);
    }
    line.put('}');
}

void put_balance(JsonLine& line, const Heartbeat& heartbeat) {
    const auto put = [&](std::string_view before, uint64_t value) {
        line.put(before);
        line.put_decimal(value);
    };
    put(R"(,"balance":{"seen":)", heartbeat.seen);
    put(R"(,"filtered":{"kernel":)", heartbeat.filtered_in_kernel);
    put(R"(,"rules":)", heartbeat.filtered_by_rules);
    put(R"(},"folded":)", heartbeat.folded);
    put(R"(,"emitted":)", heartbeat.emitted);
    put(R"(,"lost":)", heartbeat.lost);
    put(R"(,"in_flight":)", heartbeat.in_flight);
    line.put('}');
}

} // namespace

JsonLinux::JsonLinux(const FormatContext& context)
    : calls_(names_, context.fields.whole), first_(context.first),
      tier_(R"("tier":")" + json_escaped(context.tier) + '"') {}

void JsonLinux::put(JsonLine& line, const Event& event, const JsonCall* call, const Ends& ends,
                    JsonProcess& process) {
    const size_t begin = line.view().size();
    line.put(",\"linux\":{");
    if (event.kind == EBT_SYSCALL && line.wants(Field::linux_syscall))
        put_syscall(line, event, call);
    if (event.fold && line.wants(Field::linux_folded)) {
        line.key("\"folded\":");
        line.put_decimal(event.fold->count);
    }
    if (const PathField* interpreter = interpreter_of(event))
        put_interpreter(line, *interpreter);
    if (line.wants(Field::linux_socket))
        put_json_socket(line, event, ends);
    if (event.passed)
        put_passed(line, *event.passed);
    if (line.wants(Field::linux_audit))
        put_audit(line, event);
    if (line.wants(Field::linux_namespace))
        put_json_namespaces(line, event.image.namespaces, first_);
    if (line.wants(Field::linux_process))
        put_process(line, event, process);
    if (line.wants(Field::linux_telemetry))
        put_telemetry(line, event);
    line.end_object(begin);
}

void JsonLinux::put_loss(JsonLine& line, const LossEvent& loss) {
    line.put(",\"linux\":{\"telemetry\":{");
    line.put(tier_);
    if (loss.cpu >= 0) {
        line.put(",\"cpu\":");
        line.put_decimal(static_cast<uint64_t>(loss.cpu));
    }
    if (loss.gap) {
        line.put(",\"slot\":");
        line.put_decimal(loss.gap->slot);
    }
    line.put(",\"loss\":{\"cause\":");
    line.put_derived(loss.cause);
    line.put(",\"count\":");
    line.put_decimal(loss.count);
    if (loss.gap) {
        line.put(",\"gap\":{\"first\":");
        line.put_decimal(loss.gap->first);
        line.put(",\"last\":");
        line.put_decimal(loss.gap->last);
        line.put('}');
    }
    line.put("}}}");
}

void JsonLinux::put_heartbeat(JsonLine& line, const Heartbeat& heartbeat) {
    line.put(",\"linux\":{\"telemetry\":{");
    line.put(tier_);
    put_balance(line, heartbeat);
    line.put("}}");
}

void JsonLinux::put_checkpoint(JsonLine& line, const Checkpoint& checkpoint) {
    line.put(",\"linux\":{\"telemetry\":{\"output\":{\"name\":");
    line.put_quoted(checkpoint.output);
    line.put(",\"lines\":");
    line.put_decimal(checkpoint.lines);
    line.put(",\"lost\":");
    line.put_decimal(checkpoint.lost);
    line.put(checkpoint.is_last ? ",\"last\":true}}}" : ",\"last\":false}}}");
}

/// Processes make the same call with the same arguments over and over, but for where in memory they are.
void JsonLinux::put_called(JsonLine& line, const Event& event, const JsonCall& call) {
    Called called{.call = &call,
                  .fields = line.selected(),
                  .nr = event.nr,
                  .missing = event.missing & (EBT_MISSING_ARGS | EBT_MISSING_ABI),
                  .abi = event.abi,
                  .args = event.args};
    size_t hash = 0;
    for (size_t i = 0; i < called.args.size(); ++i) {
        called.args[i] &= call.shown[i];
        hash += called.args[i] * (2 * i + 3);
    }
    hash += static_cast<size_t>(event.nr) * 31;
    called_.put(line, called, hash ^ hash >> 8 ^ hash >> 16, [&] { render_called(line, event, &call); });
}

/// Up to what the call returned. Nothing of it depends on what stands before in the line.
void JsonLinux::render_called(JsonLine& line, const Event& event, const JsonCall* call) {
    const bool has_number = line.wants(Field::linux_syscall_nr);
    if (call)
        line.put(std::string_view(call->syscall)); // up to the number
    else
        line.put(has_number ? std::string_view("\"syscall\":{\"nr\":") : "\"syscall\":{");
    if (has_number)
        line.put_signed(event.nr);
    const std::string_view abi = abi_name(event);
    if (!abi.empty() && line.wants(Field::linux_syscall_abi)) {
        line.key("\"abi\":");
        line.put_quoted(abi);
    }
    if (!(event.missing & EBT_MISSING_ARGS)) {
        if (line.wants(Field::linux_syscall_args)) {
            if (call)
                put_arguments(line, event, *call);
            else
                put_unknown_arguments(line, event);
        }
        if (call && call->names_constants && line.wants(Field::linux_syscall_flags))
            put_constants(line, event, *call);
    }
}

void JsonLinux::put_syscall(JsonLine& line, const Event& event, const JsonCall* call) {
    const size_t begin = line.view().size();
    if (call)
        put_called(line, event, *call);
    else
        render_called(line, event, nullptr);
    if (event.returns && line.wants(Field::linux_syscall_ret)) {
        line.key("\"ret\":");
        line.put_signed(event.ret);
    }
    if (event.interrupted && line.wants(Field::linux_syscall_interrupted))
        line.key("\"interrupted\":true");
    if (event.execution) [[unlikely]]
        put_json_execution(line, event);
    if (has_shared_arguments(event) && line.wants(Field::linux_syscall_args))
        line.notes.add_mark({"linux.syscall.args"}, Mark::shared);
    if (event.via_io_uring && line.wants(Field::linux_syscall_via))
        line.key("\"via\":\"io_uring\"");
    put_strings_of_call(line, event);
    if (event.structure_layout && line.wants(Field::linux_syscall_structures))
        put_json_structure(line, event, names_);
    line.end_object(begin);
}

void JsonLinux::put_constants(JsonLine& line, const Event& event, const JsonCall& call) {
    line.key("\"flags\":{");
    for (size_t i = 0; i < event.call->arguments && i < event.args.size(); ++i) {
        const JsonCall::Argument& argument = call.argument[i];
        if (argument.constants == ConstantNames::no_set)
            continue;
        bool narrow = false;
        const uint64_t value = argument_value(event, i, narrow);
        line.next();
        line.put_quoted(argument.name);
        line.put(':');
        if (argument.is_flags)
            names_.put_flags(line, argument.constants, value);
        else
            names_.put_value(line, argument.constants, value);
    }
    line.put('}');
}

void JsonLinux::put_telemetry(JsonLine& line, const Event& event) {
    if (!line.wants(Field::linux_telemetry_tier) && !event.dropped_before && !has_json_notes(line, event))
        return;
    const size_t begin = line.view().size();
    line.key("\"telemetry\":{");
    if (line.wants(Field::linux_telemetry_tier))
        line.put(tier_);
    if (event.dropped_before && line.wants(Field::linux_telemetry_dropped_before)) {
        line.key("\"dropped_before\":");
        line.put_decimal(event.dropped_before);
    }
    put_json_notes(line, event);
    line.end_object(begin);
}

} // namespace telemetry
