// SPDX-License-Identifier: MIT
#include "telemetry/output/json/ecs.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"

namespace telemetry {
namespace {

constexpr uint32_t unset_id = UINT32_MAX;

/// The arguments, and the same joined with blanks: the latter is for reading and searching alone.
void put_command_line(JsonLine& line, const StringList& list) {
    const FieldName name = {"process.args"};
    line.notes.add_expected(name, list);
    if (!list.known())
        return;
    line.put(",\"args\":");
    put_json_strings(line, name, list);
    line.put(",\"args_count\":");
    line.put_decimal(count_strings(list.bytes));
    line.put(",\"command_line\":\"");
    for (std::string_view strings = list.bytes; !strings.empty();) {
        put_json_escaped(line, next_string(strings));
        if (!strings.empty())
            line.put(' ');
    }
    line.put('"');
}

void put_name_and_directory(JsonLine& line, const PathField& path) {
    const size_t slash = path.bytes.rfind('/');
    if (path.status != Status::ok || slash == std::string_view::npos || slash + 1 == path.bytes.size())
        return; // a cut path may have lost its end
    line.put(",\"name\":");
    line.put_derived(path.bytes.substr(slash + 1));
    line.put(",\"directory\":");
    line.put_derived(path.bytes.substr(0, slash ? slash : 1));
}

void put_ip_end(JsonLine& line, const Address& address) {
    line.put("\"address\":\"");
    put_ip(line, address);
    line.put("\",\"ip\":\"");
    Address plain = address;
    plain.scope = 0; // the schema's type `ip` has no room for it
    put_ip(line, plain);
    line.put("\",\"port\":");
    line.put_decimal(address.port);
}

/// `source` or `destination`; what is neither IP nor the name of a Unix socket is in linux.socket.
void put_end(JsonLine& line, std::string_view name, const Address& address) {
    const bool is_abstract = address.form == Address::Form::unix_abstract;
    if (!address.is_ip() && !is_abstract && address.form != Address::Form::unix_path)
        return;
    line.put(",\"");
    line.put(name);
    line.put("\":{");
    if (address.is_ip()) {
        put_ip_end(line, address);
    } else {
        line.put("\"address\":\"");
        if (is_abstract)
            line.put('@');
        line.put_inside_string({name, -1, "address"}, address.name);
        line.put('"');
    }
    line.put('}');
}

/// The field that shows the address the call names, or would show it if it were known.
std::string_view named_field(const Address& named, SocketRole role) {
    const bool in_socket = named.form == Address::Form::netlink || named.form == Address::Form::other ||
                           named.form == Address::Form::raw;
    if (in_socket)
        return "linux.socket.address";
    return role == SocketRole::ingress || role == SocketRole::own ? "source.address" : "destination.address";
}

std::string_view direction(SocketRole role) {
    switch (role) {
    case SocketRole::ingress:
        return R"(,"direction":"ingress")";
    case SocketRole::egress:
        return R"(,"direction":"egress")";
    default:
        return {};
    }
}

void put_ip_network(JsonLine& line, const Event& event, const Address& address, SocketRole role) {
    line.put(",\"network\":{\"type\":");
    line.put_quoted(address.form == Address::Form::inet ? "ipv4" : "ipv6");
    if (event.socket_status == Status::ok && event.socket.protocol) {
        const std::string_view transport = ecs_transport(event.socket.protocol);
        if (!transport.empty()) {
            line.put(",\"transport\":");
            line.put_quoted(transport);
        }
        line.put(",\"iana_number\":");
        line.put_quoted_number(event.socket.protocol);
    }
    line.put(direction(role));
    line.put('}');
}

} // namespace

JsonEcs::JsonEcs(const FormatContext& context)
    : entity_(context.boot_id.empty() ? "" : json_escaped(context.boot_id) + '-'),
      boot_time_ns_(context.boot_time_ns) {}

void JsonEcs::put_process(JsonLine& line, const Event& event) {
    const Image& image = event.image;
    constexpr uint32_t relevant = EBT_MISSING_START_TIME | EBT_MISSING_PPID;
    const Identity identity = {event.pid, event.tid, event.ppid, event.missing & relevant,
                               event.start_time_ns};
    identities_.put(line, identity, event.tid, [&] { render_identity(line, identity); });
    line.put(",\"name\":");
    line.put_string({"process.name"}, event.comm);
    line.put_text("\"executable\":", {"process.executable"}, image.exe);
    if (image.exe.status == Status::absent)
        line.notes.add_missing({"process.executable"});
    else
        line.notes.add_path({"process.executable"}, image.exe, false);
    // Once for each image: with its exec, or with the first that is heard of it.
    if (has_new_image(event) || event.carries_image)
        put_command_line(line, image.argv);
    line.put_text("\"working_directory\":", {"process.working_directory"}, event.cwd);
    line.notes.add_expected({"process.working_directory"}, event.cwd);
    if (image.tty.known()) {
        line.put_text("\"tty\":{\"name\":", {"process.tty.name"}, image.tty);
        line.put('}');
    }
    line.notes.add({"process.tty.name"}, image.tty);
    if (event.kind == EBT_EXIT)
        put_end_of_process(line, event);
    line.put('}');
}

void JsonEcs::render_identity(JsonLine& line, const Identity& identity) {
    line.put(",\"process\":{\"pid\":");
    line.put_decimal(identity.pid);
    line.put(",\"thread\":{\"id\":");
    line.put_decimal(identity.tid);
    line.put('}');
    if (!(identity.missing & EBT_MISSING_START_TIME)) {
        line.put(",\"entity_id\":\"");
        put_entity(line, identity.pid, identity.start_time_ns);
        line.put('"');
        if (boot_time_ns_) {
            line.put(",\"start\":\"");
            start_.put(line, static_cast<uint64_t>(boot_time_ns_) + identity.start_time_ns);
            line.put('"');
        }
    }
    if (!(identity.missing & EBT_MISSING_PPID)) {
        line.put(",\"parent\":{\"pid\":");
        line.put_decimal(identity.ppid);
        line.put('}');
    }
}

void JsonEcs::put_end_of_process(JsonLine& line, const Event& event) {
    line.put(",\"end\":\"");
    end_.put(line, event.time_ns);
    line.put('"');
    const WaitStatus status(event.ret);
    if (status.signal)
        return; // linux.process has it
    line.put(",\"exit_code\":");
    line.put_decimal(status.exit_code);
}

void JsonEcs::put_entity(JsonLine& line, uint32_t pid, uint64_t start_time_ns) {
    line.put(entity_);
    line.put_decimal(pid);
    line.put('-');
    line.put_decimal(start_time_ns);
}

void JsonEcs::put_user(JsonLine& line, const Event& event) {
    constexpr uint32_t relevant = EBT_MISSING_CREDENTIALS | EBT_MISSING_AUDIT;
    const Who who = {
        {event.uid, event.gid, event.euid, event.egid, event.suid, event.sgid, event.fsuid, event.fsgid},
        event.auid,
        event.missing & relevant};
    users_.put(line, who, event.uid ^ event.euid << 3, [&] { render_user(line, who); });
}

void JsonEcs::render_user(JsonLine& line, const Who& who) {
    static constexpr std::string_view roles[] = {"", "effective", "saved", "filesystem"};
    const bool has_ids = !(who.missing & EBT_MISSING_CREDENTIALS);
    const bool has_audit = !(who.missing & EBT_MISSING_AUDIT) && who.auid != unset_id;
    if (!has_ids && !has_audit)
        return;
    line.put(",\"user\":{");
    for (size_t i = 0; has_ids && i < std::size(roles); ++i) {
        line.next();
        if (i) {
            line.put_quoted(roles[i]);
            line.put(":{");
        }
        line.put("\"id\":");
        line.put_quoted_number(who.ids[2 * i]);
        line.put(",\"group\":{\"id\":");
        line.put_quoted_number(who.ids[2 * i + 1]);
        line.put(i ? std::string_view("}}") : "}");
    }
    if (has_audit) {
        line.key("\"audit\":{\"id\":");
        line.put_quoted_number(who.auid);
        line.put('}');
    }
    line.put('}');
}

void JsonEcs::put_executable(JsonLine& line, const InodeInfo& inode) {
    executables_.put(line, inode, inode.ino, [&] {
        line.put("\"executable\":{");
        put_json_inode(line, inode);
        line.put('}');
    });
}

/// `file` is the first path that names one. The text in a symbolic link is its target; a mount's
/// source is neither, and to be found in linux.syscall.paths.
void JsonEcs::put_file(JsonLine& line, const Event& event) {
    const PathField* file = nullptr;
    const PathField* target = nullptr;
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        const PathField& path = event.path[i];
        if (!is_free_text(event, path))
            file = file ? file : &path;
        else if (event.call->event_class == ebpf_loader::EventClass::file_creation)
            target = &path;
    }
    const size_t begin = line.view().size();
    line.put(",\"file\":{");
    if (file) {
        line.put_text("\"path\":", {"file.path"}, *file);
        line.notes.add_path({"file.path"}, *file, false);
        put_name_and_directory(line, *file);
        if (file->has_inode)
            put_json_inode(line, file->inode);
    }
    if (target) {
        line.put_text("\"target_path\":", {"file.target_path"}, *target);
        line.notes.add_path({"file.target_path"}, *target, true);
    }
    if (line.last() == '{')
        line.cut(begin); // nothing is known
    else
        line.put('}');
}

/// Traffic goes from source to destination: this end is the source, but for what comes in.
void JsonEcs::put_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role) {
    const Address& own = role == SocketRole::own ? ends.named : ends.local;
    const Address& peer = role == SocketRole::own ? ends.remote : ends.named;
    const bool incoming = role == SocketRole::ingress;
    put_end(line, "source", incoming ? peer : own);
    put_end(line, "destination", incoming ? own : peer);
    if (ends.from_sockaddr || ends.named.form == Address::Form::none)
        line.notes.add({named_field(ends.named, role)}, event.sockaddr);
    const Address& any = ends.named.is_ip() ? ends.named : own;
    if (any.is_ip())
        put_ip_network(line, event, any, role);
}

void put_json_inode(JsonLine& line, const InodeInfo& inode) {
    line.key("\"inode\":");
    line.put_quoted_number(inode.ino);
    line.put(",\"mode\":\"0");
    line.put_octal(inode.mode & 07777);
    line.put("\",\"uid\":");
    line.put_quoted_number(inode.uid);
    line.put(",\"gid\":");
    line.put_quoted_number(inode.gid);
    const std::string_view type = ecs_file_type(inode.mode);
    if (type.empty())
        return;
    line.put(",\"type\":");
    line.put_quoted(type);
}

void put_json_strings(JsonLine& line, const FieldName& name, const StringList& list) {
    FieldName item = name;
    item.index = 0;
    line.put('[');
    for (std::string_view strings = list.bytes; !strings.empty(); ++item.index) {
        if (item.index)
            line.put(',');
        line.put_string(item, next_string(strings));
    }
    line.put(']');
}

} // namespace telemetry
