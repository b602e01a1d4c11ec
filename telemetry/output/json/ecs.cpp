// SPDX-License-Identifier: MIT
#include "telemetry/output/json/ecs.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/process.hpp"

namespace telemetry {
namespace {

/// The last component; empty when it is not known, as of a cut path, which may have lost its end.
std::string_view name_of(const PathField& path) {
    const size_t slash = path.bytes.rfind('/');
    if (path.status != Status::ok || slash == std::string_view::npos)
        return {};
    return path.bytes.substr(slash + 1);
}

void put_name(JsonLine& line, const PathField& path) {
    const std::string_view name = name_of(path);
    if (name.empty())
        return;
    line.key("\"name\":");
    line.put_derived(name);
    const size_t point = name.rfind('.');
    if (point == std::string_view::npos || point == 0 || point + 1 == name.size())
        return;
    line.put(",\"extension\":");
    line.put_derived(name.substr(point + 1));
}

void put_directory(JsonLine& line, const PathField& path) {
    const std::string_view name = name_of(path);
    if (name.empty())
        return;
    const size_t length = path.bytes.size() - name.size();
    line.put(",\"directory\":");
    line.put_derived(path.bytes.substr(0, length > 1 ? length - 1 : 1));
}

/// What a file was called before it was renamed.
void put_original(JsonLine& line, const PathField& path) {
    line.key("\"Ext\":{\"original\":{");
    line.put_text("\"path\":", {"file.Ext.original.path"}, path);
    line.notes.add_path({"file.Ext.original.path"}, path, false);
    put_name(line, path);
    line.put("}}");
}

/// The paths of a call by what they are to the schema. Of two names, as rename and link have them, the
/// file is the new one.
struct Files {
    const PathField* file = nullptr;
    const PathField* original = nullptr; ///< of a rename
    const PathField* target = nullptr;   ///< the text in a symbolic link
};

Files files_of(const Event& event) {
    using ebpf_loader::EventClass;
    Files files;
    const EventClass is = event.call ? event.call->event_class : EventClass::api;
    const bool has_new_name = is == EventClass::file_rename || is == EventClass::file_creation;
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        const PathField& path = event.path[i];
        if (is_free_text(event, path)) {
            if (is == EventClass::file_creation)
                files.target = &path;
        } else if (!files.file) {
            files.file = &path;
        } else if (has_new_name && path.argument != EBT_ARG_RET) {
            files.original = is == EventClass::file_rename ? files.file : nullptr;
            files.file = &path;
        }
    }
    return files;
}

void put_ip_end(JsonLine& line, const Address& address) {
    line.put("\"address\":\"");
    put_ip(line, address);
    line.put("\",\"ip\":\"");
    Address plain = address;
    plain.scope = 0; // the schema's type `ip` has no room for it
    put_ip(line, plain);
    line.put('"');
    if (!address.has_port)
        return;
    line.put(",\"port\":");
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

/// `file` is the first path that names one, but for what has a new name. The text in a symbolic link is
/// its target; a mount's source is neither, and to be found in linux.syscall.paths.
void put_json_file(JsonLine& line, const Event& event, JsonProcess& process) {
    const Files files = files_of(event);
    const size_t begin = line.view().size();
    line.put(",\"file\":{");
    if (files.file) {
        line.put_text("\"path\":", {"file.path"}, *files.file);
        line.notes.add_path({"file.path"}, *files.file, false);
        put_name(line, *files.file);
        put_directory(line, *files.file);
        if (files.file->has_inode) {
            put_json_inode(line, files.file->inode);
            process.put_owner(line, event, files.file->inode);
        }
    }
    if (files.original)
        put_original(line, *files.original);
    if (files.target) {
        line.put_text("\"target_path\":", {"file.target_path"}, *files.target);
        line.notes.add_path({"file.target_path"}, *files.target, true);
    }
    if (line.last() == '{')
        line.cut(begin); // nothing is known
    else
        line.put('}');
}

/// The ends that the kernel gave, of a socket whose descriptor could have been replaced.
void add_shared_ends(JsonLine& line, const Ends& ends, SocketRole role) {
    const std::string_view named = named_field(ends.named, role);
    if (!ends.from_sockaddr && ends.named.form != Address::Form::none)
        line.notes.add_mark({named}, Mark::shared);
    const bool named_is_source = named == "source.address";
    const Address& other = role == SocketRole::own ? ends.remote : ends.local;
    if (other.form != Address::Form::none)
        line.notes.add_mark({named_is_source ? "destination.address" : "source.address"}, Mark::shared);
}

/// Traffic goes from source to destination: this end is the source, but for what comes in.
void put_json_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role) {
    const Address& own = role == SocketRole::own ? ends.named : ends.local;
    const Address& peer = role == SocketRole::own ? ends.remote : ends.named;
    const bool incoming = role == SocketRole::ingress;
    put_end(line, "source", incoming ? peer : own);
    put_end(line, "destination", incoming ? own : peer);
    if (ends.from_sockaddr || ends.named.form == Address::Form::none)
        line.notes.add({named_field(ends.named, role)}, event.sockaddr);
    if (event.socket_shared)
        add_shared_ends(line, ends, role);
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

} // namespace telemetry
