// SPDX-License-Identifier: MIT
#include <array>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/output/remarks.hpp"
#include "telemetry/output/structure.hpp"
#include "telemetry/output/text_line.hpp"

namespace telemetry {
namespace {

constexpr std::array<std::string_view, 4> numbered_paths = {"path1", "path2", "path3", "path4"};
constexpr std::array<std::string_view, 4> numbered_calls = {"called_path1", "called_path2", "called_path3",
                                                            "called_path4"};

/// One line of name=value fields an event. Strings are quoted, numbers and words are not;
/// a bare ? is a value that is not known. docs/output.md describes every field.
class TextFormatter final : public Formatter, private TextLine {
  public:
    explicit TextFormatter(const FormatContext& context) : first_(context.first) {
        LineBuffer node;
        node.put(" node=\"");
        put_text_escaped(node, context.node);
        node.put('"');
        node_ = node.view();
    }

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override { out += document.text(); }
    void format_heartbeat(const Heartbeat& heartbeat, std::string& out) override;

  private:
    void begin(uint64_t time_ns);
    void put_call(const Event& event);
    void put_result(const Event& event);
    void put_arguments(const Event& event);
    void put_ids(const Event& event);
    void put_process(const Event& event);
    void put_paths(const Event& event);
    void put_command_line(const Event& event);
    void put_addresses(const Event& event);
    void put_string_arguments(const Event& event);
    void put_structure(const Event& event);
    void put_process_event(const Event& event);
    void put_remarks(const Event& event);
    void end(std::string& out);

    Timestamp time_;
    std::string node_;
    const ImageNamespaces first_;
};

void TextFormatter::format(const Event& event, std::string& out) {
    begin(event.time_ns);
    notes_.set_foreign(is_elsewhere(event.image.namespaces.mnt, first_.mnt));
    put_call(event);
    put_result(event);
    put_arguments(event);
    put_ids(event);
    put_process(event);
    put_paths(event);
    put_command_line(event);
    put_addresses(event);
    if (event.passed) {
        put_passed_descriptors(line_, *event.passed);
        notes_.add_passed({"passed_fds"}, *event.passed);
    }
    put_string_arguments(event);
    put_process_event(event);
    put_remarks(event);
    end(out);
}

void TextFormatter::format(const LossEvent& loss, std::string& out) {
    begin(loss.time_ns);
    line_.put(" loss=");
    put_quoted(loss.cause);
    line_.put(" count=");
    line_.put_decimal(loss.count);
    if (loss.cpu >= 0) {
        line_.put(" cpu=");
        line_.put_decimal(static_cast<uint64_t>(loss.cpu));
    }
    if (loss.gap) {
        line_.put(" slot=");
        line_.put_decimal(loss.gap->slot);
        line_.put(" gap=");
        line_.put_decimal(loss.gap->first);
        line_.put('-');
        line_.put_decimal(loss.gap->last);
    }
    end(out);
}

void TextFormatter::format_heartbeat(const Heartbeat& heartbeat, std::string& out) {
    begin(heartbeat.time_ns);
    const auto put = [this](std::string_view name, uint64_t value) {
        line_.put(name);
        line_.put_decimal(value);
    };
    put(" state=heartbeat number=", heartbeat.number);
    put(" seen=", heartbeat.seen);
    put(" filtered=", heartbeat.filtered_in_kernel + heartbeat.filtered_by_rules);
    put(" folded=", heartbeat.folded);
    put(" emitted=", heartbeat.emitted);
    put(" lost=", heartbeat.lost);
    put(" in_flight=", heartbeat.in_flight);
    end(out);
}

void TextFormatter::begin(uint64_t time_ns) {
    line_.clear();
    notes_.clear();
    line_.put("timestamp=");
    time_.put(line_, time_ns);
    line_.put(node_);
}

void TextFormatter::end(std::string& out) {
    line_.put('\n');
    out.append(line_.view());
}

void TextFormatter::put_call(const Event& event) {
    const std::string_view abi = abi_name(event);
    line_.put(" arch=");
    line_.put(abi.empty() ? "?" : abi);
    line_.put(" syscall=");
    if (event.call)
        line_.put(event.call->name);
    else if (event.kind == EBT_SYSCALL || event.kind == EBT_TRANSFER)
        line_.put_signed(event.nr);
    else
        line_.put(process_event_name(event.kind));
}

void TextFormatter::put_result(const Event& event) {
    if (event.kind == EBT_EXIT) { // as the rules have it: with status 0
        line_.put(event.ret == 0 ? std::string_view(" success=yes exit=?") : " success=no exit=?");
    } else if (!event.returns) {
        line_.put(" success=? exit=?");
    } else if (event.kind != EBT_SYSCALL) {
        line_.put(" success=yes exit=?");
    } else {
        if (event.success())
            line_.put(" success=yes exit=");
        else
            line_.put(" success=no exit=");
        line_.put_signed(event.ret);
    }
}

void TextFormatter::put_arguments(const Event& event) {
    if (event.kind != EBT_SYSCALL)
        return;
    const unsigned count = event.call ? event.call->arguments : EBT_ARGS;
    for (unsigned i = 0; i < count && i < EBT_ARGS; ++i) {
        line_.put(" a");
        line_.put(static_cast<char>('0' + i));
        line_.put('=');
        if (event.missing & EBT_MISSING_ARGS)
            line_.put('?');
        else
            line_.put_hex(event.args[i]);
    }
    if (has_shared_arguments(event))
        notes_.add_mark({"args"}, Mark::shared);
}

void TextFormatter::put_ids(const Event& event) {
    const bool audit = !(event.missing & EBT_MISSING_AUDIT);
    const bool credentials = !(event.missing & EBT_MISSING_CREDENTIALS);
    put_id(" ppid=", event.ppid, !(event.missing & EBT_MISSING_PPID));
    put_id(" pid=", event.pid, true);
    put_id(" auid=", event.auid, audit);
    put_id(" uid=", event.uid, credentials);
    put_id(" gid=", event.gid, credentials);
    put_id(" euid=", event.euid, credentials);
    put_id(" suid=", event.suid, credentials);
    put_id(" fsuid=", event.fsuid, credentials);
    put_id(" egid=", event.egid, credentials);
    put_id(" sgid=", event.sgid, credentials);
    put_id(" fsgid=", event.fsgid, credentials);
}

void TextFormatter::put_process(const Event& event) {
    const Image& image = event.image;
    const bool has_image = image.exe.status != Status::absent;
    line_.put(" tty=");
    if (image.tty.status == Status::absent && has_image)
        line_.put("(none)");
    else
        put_value(image.tty);
    put_id(" ses=", event.ses, !(event.missing & EBT_MISSING_AUDIT));
    line_.put(" comm=");
    put_quoted(event.comm);
    line_.put(" exe=");
    put_value(image.exe);
    if (image.exe.has_inode) {
        line_.put(" exe_mode=0");
        line_.put_octal(image.exe.inode.mode);
    } else {
        line_.put(" exe_mode=?");
    }
    put_id(" exe_ouid=", image.exe.inode.uid, image.exe.has_inode);
    put_id(" exe_ogid=", image.exe.inode.gid, image.exe.has_inode);
    line_.put(" cwd=");
    put_value(event.cwd);
    notes_.add({"tty"}, image.tty);
    if (has_image)
        notes_.add_path({"exe"}, image.exe, false);
    else
        notes_.add_missing({"exe"});
    notes_.add_directory({"cwd"}, event.cwd);
}

void TextFormatter::put_paths(const Event& event) {
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        const PathField& path = event.path[i];
        const std::string_view name = event.paths == 1 ? "path" : numbered_paths[i];
        put_named(name, path);
        notes_.add_path({name}, path, is_free_text(event, path));
        if (event.witnessed)
            put_noted(event.paths == 1 ? "called_path" : numbered_calls[i], event.witnessed->called[i]);
        if (path.created)
            line_.put(" created=yes");
    }
}

void TextFormatter::put_command_line(const Event& event) {
    if (!has_new_image(event) && !is_exec_call(event))
        return;
    const StringList& list = has_new_image(event) ? event.image.argv : event.exec_argv;
    if (const PathField* interpreter = interpreter_of(event))
        put_noted("interpreter", *interpreter);
    line_.put(" cmdline=");
    notes_.add_expected({"cmdline"}, list);
    if (!list.known()) {
        line_.put('?');
    } else {
        put_strings(list.bytes);
    }
    if (!has_new_image(event))
        return;
    const StringList& environment = event.image.environment;
    notes_.add({"env"}, environment);
    if (environment.bytes.empty())
        return;
    line_.put(" env=");
    put_strings(environment.bytes);
}

void TextFormatter::put_addresses(const Event& event) {
    if (event.sockaddr.status == Status::absent && event.socket_status != Status::ok)
        return;
    const SocketRole role = socket_role(event);
    const Ends ends = ends_of(event, role);
    const auto put = [&](std::string_view name, const Address& address) {
        if (address.form == Address::Form::none)
            return;
        put_name(name);
        line_.put('"');
        put_address(line_, address);
        line_.put('"');
        if (event.socket_shared && !(ends.from_sockaddr && name == "addr"))
            notes_.add_mark({name}, Mark::shared);
    };
    if (ends.named.form != Address::Form::none) {
        put("addr", ends.named);
        if (ends.from_sockaddr)
            notes_.add({"addr"}, event.sockaddr);
    } else if (event.sockaddr.status != Status::absent) {
        line_.put(" addr=?");
        notes_.add({"addr"}, event.sockaddr);
    }
    if (event.witnessed && event.witnessed->addresses > 1) {
        put_all_addresses(line_, *event.witnessed);
        notes_.add({"addrs"}, event.witnessed->address[1]);
    }
    if (ends.from_sockaddr || role != SocketRole::own)
        put("local", ends.local);
    if (ends.from_sockaddr || role == SocketRole::own)
        put("remote", ends.remote);
}

void TextFormatter::put_string_arguments(const Event& event) {
    for (size_t i = 0; i < event.strings && i < event.string.size(); ++i) {
        const StringField& string = event.string[i];
        if (const std::string_view name = argument_name(event, string.argument); !name.empty())
            put_noted(name == "key" ? "config_key" : name, string); // `key` is the rule's
    }
    if (event.structure_layout)
        put_structure(event);
}

void TextFormatter::put_structure(const Event& event) {
    const std::string_view name = argument_name(event, event.structure_argument);
    if (!event.structure.known())
        return put_noted(name, event.structure);
    notes_.add({name}, event.structure);
    for (const StructureMember& member : event.structure_layout->members) {
        if (!has_member(event.structure.bytes, member))
            continue;
        line_.put(' ');
        line_.put(name);
        line_.put('_');
        line_.put(member.name);
        line_.put('=');
        put_member(line_, member, event.structure.bytes);
    }
}

void TextFormatter::put_process_event(const Event& event) {
    if (event.kind == EBT_EXIT) {
        const WaitStatus status(event.ret);
        line_.put(status.signal ? std::string_view(" signal=") : " exit_code=");
        line_.put_decimal(status.signal ? status.signal : status.exit_code);
        if (status.core_dumped)
            line_.put(" core_dumped=yes");
    } else if (event.child_status != Status::absent || event.kind == EBT_FORK) {
        put_id(" child_pid=", event.child_pid, event.child_status == Status::ok);
    }
}

void TextFormatter::put_remarks(const Event& event) {
    if (event.root.status != Status::absent) {
        line_.put(" chroot=");
        put_value(event.root);
        notes_.add_directory({"chroot"}, event.root);
    }
    if (const Capabilities* const sets = new_capabilities(event)) {
        line_.put(" cap_permitted=");
        line_.put_hex(sets->permitted);
        line_.put(" cap_effective=");
        line_.put_hex(sets->effective);
    }
    if (!event.exe_sha256.empty()) {
        line_.put(" exe_sha256=");
        line_.put(event.exe_sha256);
    }
    if (event.fold) {
        line_.put(" folded=");
        line_.put_decimal(event.fold->count);
        line_.put(" first=");
        time_.put(line_, event.fold->first_ns);
    }
    if (event.via_io_uring)
        line_.put(" via=io_uring");
    if (event.interrupted)
        line_.put(" interrupted=yes");
    if (event.tid != event.pid)
        put_id(" tid=", event.tid, true);
    put_execution(line_, event);
    put_namespaces(line_, event.image.namespaces, first_);
    put_key(line_, event.key);
    if (!notes_.empty())
        put_notes(line_, notes_);
    put_missing(line_, event, notes_);
    if (event.dropped_before) {
        line_.put(" dropped_before=");
        line_.put_decimal(event.dropped_before);
    }
}

} // namespace

const Format text_format = {
    .name = "text",
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<TextFormatter>(context);
    },
};

} // namespace telemetry
