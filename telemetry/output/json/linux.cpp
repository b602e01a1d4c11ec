// SPDX-License-Identifier: MIT
#include "telemetry/output/json/linux.hpp"

#include <algorithm>
#include <iterator>
#include <sys/socket.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/notes.hpp"
#include "telemetry/output/json/remarks.hpp"

namespace telemetry {
namespace {

using ebpf_loader::ArgKind;
using Form = Address::Form;

constexpr uint32_t unset_id = UINT32_MAX;

/// An argument as wide as the kernel takes it.
uint64_t argument_value(const Event& event, size_t index, bool& narrow) {
    narrow = event.abi == EBT_I386 || ebpf_loader::is_32_bit(event.call->argument[index].kind);
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
/// type, whichever call it belongs to.
void put_arguments(JsonLine& line, const Event& event, const JsonCall& call) {
    line.put(",\"args\":{");
    for (size_t i = 0; i < event.call->arguments && i < event.args.size(); ++i) {
        if (i)
            line.put(',');
        line.put(call.argument[i].key);
        put_argument(line, event, i);
        line.put('"');
    }
    line.put('}');
}

void put_unknown_arguments(JsonLine& line, const Event& event) {
    line.put(",\"args\":{");
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
    line.put(",\"paths\":[");
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
    line.put(",\"strings\":{");
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

void put_family(JsonLine& line, uint16_t family) {
    static constexpr std::pair<uint16_t, std::string_view> names[] = {
        {AF_UNIX, "unix"},     {AF_INET, "inet"},   {AF_INET6, "inet6"}, {AF_NETLINK, "netlink"},
        {AF_PACKET, "packet"}, {AF_VSOCK, "vsock"}, {AF_ALG, "alg"},     {AF_BLUETOOTH, "bluetooth"},
    };
    const auto* found = std::ranges::find(names, family, &std::pair<uint16_t, std::string_view>::first);
    if (found == std::end(names))
        line.put_quoted_number(family);
    else
        line.put_quoted(found->second);
}

/// What `source` and `destination` cannot say of an address.
void put_address_form(JsonLine& line, const Address& address) {
    switch (address.form) {
    case Form::unix_path:
        line.put(R"(,"name":"path")");
        break;
    case Form::unix_abstract:
        line.put(R"(,"name":"abstract")");
        break;
    case Form::unix_unnamed:
        line.put(R"(,"name":"unnamed")");
        break;
    case Form::netlink:
    case Form::other:
    case Form::raw:
        line.put(",\"address\":\"");
        put_address(line, address); // digits and plain letters for these
        line.put('"');
        break;
    default:
        break;
    }
}

/// Of a call that sends to several, in the words of a text line.
void put_addresses(JsonLine& line, const Witnessed& witnessed) {
    line.put(",\"addresses\":[");
    for (size_t i = 0; i < witnessed.addresses; ++i) {
        LineBuffer text;
        put_address(text, parse_sockaddr(witnessed.address[i].bytes));
        line.next();
        line.put_string({"linux.socket.addresses", static_cast<int>(i)}, text.view());
    }
    line.put(']');
    if (witnessed.address_count > witnessed.addresses) {
        line.put(",\"addresses_count\":");
        line.put_decimal(witnessed.address_count);
    }
}

/// Numbers of descriptors that messages carry.
void put_passed(JsonLine& line, const PassedDescriptors& passed) {
    line.notes.add_passed({"linux.passed_fds"}, passed);
    if (!passed.kept)
        return;
    line.key("\"passed_fds\":[");
    for (size_t i = 0; i < passed.kept; ++i) {
        line.next();
        line.put_signed(passed.fd[i]);
    }
    line.put(']');
    if (passed.count > passed.kept) {
        line.put(",\"passed_fds_count\":");
        line.put_decimal(passed.count);
    }
}

void put_interpreter(JsonLine& line, const PathField& interpreter) {
    constexpr FieldName name = {"linux.exec.interpreter"};
    if (!interpreter.known())
        return;
    line.key("\"exec\":{");
    line.put_text("\"interpreter\":", name, interpreter);
    line.notes.add_path(name, interpreter, false);
    line.put('}');
}

void put_socket(JsonLine& line, const Event& event, const Ends& ends) {
    static constexpr std::string_view types[] = {"", "stream", "dgram", "raw", "rdm", "seqpacket", "dccp"};
    const bool has_socket = event.socket_status == Status::ok;
    if (!has_socket && ends.named.form == Form::none)
        return;
    line.key("\"socket\":{\"family\":");
    put_family(line, has_socket ? event.socket.family : ends.named.family);
    if (has_socket && event.socket.type && event.socket.type < std::size(types)) {
        line.put(",\"type\":");
        line.put_quoted(types[event.socket.type]);
    }
    put_address_form(line, ends.named);
    if (event.witnessed && event.witnessed->addresses > 1) {
        put_addresses(line, *event.witnessed);
        line.notes.add({"linux.socket.addresses"}, event.witnessed->address[1]);
    }
    line.put('}');
}

void put_audit(JsonLine& line, const Event& event) {
    const bool has_auid = event.auid != unset_id;
    const bool has_session = event.ses != unset_id;
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

} // namespace

JsonLinux::JsonLinux(const FormatContext& context)
    : calls_(names_), telemetry_(R"("telemetry":{"tier":")" + json_escaped(context.tier) + '"') {}

void JsonLinux::put(JsonLine& line, const Event& event, const JsonCall* call, const Ends& ends,
                    JsonProcess& process) {
    line.put(",\"linux\":{");
    if (event.kind == EBT_SYSCALL)
        put_syscall(line, event, call);
    if (const PathField* interpreter = interpreter_of(event))
        put_interpreter(line, *interpreter);
    put_socket(line, event, ends);
    if (event.passed)
        put_passed(line, *event.passed);
    put_audit(line, event);
    put_json_namespaces(line, event.image.namespaces);
    put_process(line, event, process);
    put_telemetry(line, event);
    line.put('}');
}

void JsonLinux::put_loss(JsonLine& line, const LossEvent& loss) {
    line.put(",\"linux\":{");
    line.put(telemetry_);
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

void JsonLinux::put_syscall(JsonLine& line, const Event& event, const JsonCall* call) {
    line.put(call ? std::string_view(call->syscall) : "\"syscall\":{\"nr\":");
    line.put_signed(event.nr);
    const std::string_view abi = abi_name(event);
    if (!abi.empty()) {
        line.put(",\"abi\":");
        line.put_quoted(abi);
    }
    const bool has_arguments = !(event.missing & EBT_MISSING_ARGS);
    if (has_arguments && call)
        put_arguments(line, event, *call);
    else if (has_arguments)
        put_unknown_arguments(line, event);
    if (has_arguments && call && call->names_constants)
        put_constants(line, event, *call);
    if (event.returns) {
        line.put(",\"ret\":");
        line.put_signed(event.ret);
    }
    if (event.interrupted)
        line.put(",\"interrupted\":true");
    if (event.execution) [[unlikely]]
        put_json_execution(line, event);
    if (has_shared_arguments(event))
        line.notes.add_mark({"linux.syscall.args"}, Mark::shared);
    if (event.via_io_uring)
        line.put(",\"via\":\"io_uring\"");
    if (event.paths == 1)
        put_called(line, {"linux.syscall.called_path"}, event, 0);
    if (event.paths > 1)
        put_paths(line, event);
    if (event.strings)
        put_strings(line, event);
    if (event.exec_argv.known() && !has_new_image(event)) {
        line.put(",\"argv\":");
        put_json_strings(line, {"linux.syscall.argv"}, event.exec_argv.bytes);
    }
    if (is_exec_call(event) && !has_new_image(event))
        line.notes.add_expected({"linux.syscall.argv"}, event.exec_argv);
    line.put('}');
}

void JsonLinux::put_constants(JsonLine& line, const Event& event, const JsonCall& call) {
    line.put(",\"flags\":{");
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
    line.next();
    line.put(telemetry_);
    line.put(",\"cpu\":");
    line.put_decimal(event.cpu);
    line.put(",\"slot\":");
    line.put_decimal(event.slot);
    line.put(",\"sequence\":");
    line.put_decimal(event.sequence);
    if (event.dropped_before) {
        line.put(",\"dropped_before\":");
        line.put_decimal(event.dropped_before);
    }
    put_json_notes(line, event);
    line.put('}');
}

} // namespace telemetry
