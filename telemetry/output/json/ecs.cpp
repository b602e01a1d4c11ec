// SPDX-License-Identifier: MIT
#include "telemetry/output/json/ecs.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/process.hpp"

namespace telemetry {
namespace {

void put_name(JsonLine& line, Field name_field, Field extension, const PathField& path) {
    if (!line.wants(name_field) && !line.wants(extension))
        return;
    const std::string_view name = file_name_of(path);
    if (name.empty())
        return;
    if (line.wants(name_field)) {
        line.key("\"name\":");
        line.put_derived(name);
    }
    const size_t point = name.rfind('.');
    if (point == std::string_view::npos || point == 0 || point + 1 == name.size() || !line.wants(extension))
        return;
    line.key("\"extension\":");
    line.put_derived(name.substr(point + 1));
}

/// What a file was called before it was renamed.
void put_original(JsonLine& line, const PathField& path) {
    if (!line.wants(Field::file_Ext))
        return;
    line.key("\"Ext\":{\"original\":{");
    if (line.wants(Field::file_Ext_original_path)) {
        line.put_text("\"path\":", {"file.Ext.original.path"}, path);
        line.notes.add_path({"file.Ext.original.path"}, path, false);
    }
    put_name(line, Field::file_Ext_original_name, Field::file_Ext_original_extension, path);
    line.put("}}");
}

/// One end of a connection.
struct EndFields {
    std::string_view key;
    std::string_view name;
    Field object, address, ip, port;
};
constexpr EndFields source_fields = {",\"source\":{",       "source",         Field::source,
                                     Field::source_address, Field::source_ip, Field::source_port};
constexpr EndFields destination_fields = {",\"destination\":{",  "destination",
                                          Field::destination,    Field::destination_address,
                                          Field::destination_ip, Field::destination_port};

void put_ip_end(JsonLine& line, const EndFields& fields, const Address& address) {
    if (line.wants(fields.address)) {
        line.put("\"address\":\"");
        put_ip(line, address);
        line.put('"');
    }
    if (line.wants(fields.ip)) {
        line.key("\"ip\":\"");
        Address plain = address;
        plain.scope = 0; // the schema's type `ip` has no room for it
        put_ip(line, plain);
        line.put('"');
    }
    if (!address.has_port || !line.wants(fields.port))
        return;
    line.key("\"port\":");
    line.put_decimal(address.port);
}

/// `source` or `destination`; what is neither IP nor the name of a Unix socket is in linux.socket.
void put_end(JsonLine& line, const EndFields& fields, const Address& address) {
    const bool is_abstract = address.form == Address::Form::unix_abstract;
    if (!line.wants(fields.object) ||
        (!address.is_ip() && !is_abstract && address.form != Address::Form::unix_path))
        return;
    const size_t begin = line.view().size();
    line.put(fields.key);
    if (address.is_ip()) {
        put_ip_end(line, fields, address);
    } else if (line.wants(fields.address)) {
        line.put("\"address\":\"");
        if (is_abstract)
            line.put('@');
        line.put_inside_string({fields.name, -1, "address"}, address.name);
        line.put('"');
    }
    line.end_object(begin);
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
        return R"("direction":"ingress")";
    case SocketRole::egress:
        return R"("direction":"egress")";
    default:
        return {};
    }
}

void put_protocol(JsonLine& line, uint8_t protocol) {
    const std::string_view transport = ecs_transport(protocol);
    if (!transport.empty() && line.wants(Field::network_transport)) {
        line.key("\"transport\":");
        line.put_quoted(transport);
    }
    if (line.wants(Field::network_iana_number)) {
        line.key("\"iana_number\":");
        line.put_quoted_number(protocol);
    }
}

bool wants_ends(const JsonLine& line) {
    return line.wants(Field::source) || line.wants(Field::destination) || line.wants(Field::linux_socket);
}

struct Network {
    const Address& own;
    const Address& peer;
    SocketRole role;
};

void put_community_id(JsonLine& line, const Event& event, const Network& network, CommunityId* ids) {
    if (!ids || event.socket_status != Status::ok || !line.wants(Field::network_community_id) ||
        !CommunityId::is_known(network.own, network.peer, event.socket.protocol))
        return;
    line.key("\"community_id\":\"");
    ids->put(line, network.own, network.peer, event.socket.protocol);
    line.put('"');
}

void put_network(JsonLine& line, const Event& event, const Address& address, const Network& network,
                 CommunityId* ids) {
    if (!address.is_ip() || !line.wants(Field::network))
        return;
    const size_t begin = line.view().size();
    line.put(",\"network\":{");
    if (line.wants(Field::network_type))
        line.put(address.form == Address::Form::inet ? std::string_view(R"("type":"ipv4")")
                                                     : R"("type":"ipv6")");
    if (event.socket_status == Status::ok && event.socket.protocol)
        put_protocol(line, event.socket.protocol);
    const std::string_view member = direction(network.role);
    if (!member.empty() && line.wants(Field::network_direction)) {
        line.next();
        line.put(member);
    }
    put_community_id(line, event, network, ids);
    line.end_object(begin);
}

} // namespace

/// As /proc/PID/mountinfo has it.
static void put_device(JsonLine& line, const InodeInfo& inode) {
    line.key("\"device\":\"");
    line.put_decimal(device_major(inode.device));
    line.put(':');
    line.put_decimal(device_minor(inode.device));
    line.put('"');
}

void put_json_file_attributes(JsonLine& line, const InodeInfo& inode) {
    if (inode.device && line.wants(Field::file_device))
        put_device(line, inode);
    if (line.wants(Field::file_mode)) {
        line.key("\"mode\":\"0");
        line.put_octal(inode.mode & 07777);
        line.put('"');
    }
    if (line.wants(Field::file_uid)) {
        line.key("\"uid\":");
        line.put_quoted_number(inode.uid);
    }
    if (line.wants(Field::file_gid)) {
        line.key("\"gid\":");
        line.put_quoted_number(inode.gid);
    }
    const std::string_view type = ecs_file_type(inode.mode);
    if (type.empty() || !line.wants(Field::file_type))
        return;
    line.key("\"type\":");
    line.put_quoted(type);
}

std::string_view file_name_of(const PathField& path) {
    const size_t slash = path.bytes.rfind('/');
    if (path.status != Status::ok || slash == std::string_view::npos)
        return {};
    return path.bytes.substr(slash + 1);
}

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

/// `file` is the first path that names one, but for what has a new name. The text in a symbolic link is
/// its target; a mount's source is neither, and to be found in linux.syscall.paths.
void put_json_file(JsonLine& line, const Event& event, JsonProcess& process) {
    const Files files = files_of(event);
    const size_t begin = line.view().size();
    line.put(",\"file\":{");
    if (files.file) {
        if (line.wants(Field::file_path)) {
            line.put_text("\"path\":", {"file.path"}, *files.file);
            line.notes.add_path({"file.path"}, *files.file, false);
        }
        put_name(line, Field::file_name, Field::file_extension, *files.file);
        if (files.file->has_inode) {
            const InodeInfo& inode = files.file->inode;
            if (line.wants(Field::file_inode)) {
                line.key("\"inode\":");
                line.put_quoted_number(inode.ino);
            }
            process.put_attributes(line, event, inode);
        }
    }
    if (files.original)
        put_original(line, *files.original);
    if (files.target && line.wants(Field::file_target_path)) {
        line.put_text("\"target_path\":", {"file.target_path"}, *files.target);
        line.notes.add_path({"file.target_path"}, *files.target, true);
    }
    line.end_object(begin);
}

/// The ends that the kernel gave, of a socket whose descriptor could have been replaced.
static void add_shared_ends(JsonLine& line, const Ends& ends, SocketRole role) {
    const std::string_view named = named_field(ends.named, role);
    if (!ends.from_sockaddr && ends.named.form != Address::Form::none)
        line.notes.add_mark({named}, Mark::shared);
    const bool named_is_source = named == "source.address";
    const Address& other = role == SocketRole::own ? ends.remote : ends.local;
    if (other.form != Address::Form::none)
        line.notes.add_mark({named_is_source ? "destination.address" : "source.address"}, Mark::shared);
}

static void note_ends(JsonLine& line, const Event& event, const Ends& ends, SocketRole role) {
    if (ends.from_sockaddr || ends.named.form == Address::Form::none)
        line.notes.add({named_field(ends.named, role)}, event.sockaddr);
    if (event.socket_shared)
        add_shared_ends(line, ends, role);
}

/// Traffic goes from source to destination: this end is the source, but for what comes in.
void put_json_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role,
                      CommunityId* community_id) {
    const Address& own = role == SocketRole::own ? ends.named : ends.local;
    const Address& peer = role == SocketRole::own ? ends.remote : ends.named;
    const bool incoming = role == SocketRole::ingress;
    put_end(line, source_fields, incoming ? peer : own);
    put_end(line, destination_fields, incoming ? own : peer);
    if (wants_ends(line))
        note_ends(line, event, ends, role);
    put_network(line, event, ends.named.is_ip() ? ends.named : own, {own, peer, role}, community_id);
}

void put_json_inode_numbers(JsonLine& line, const InodeInfo& inode) {
    line.key("\"inode\":");
    line.put_quoted_number(inode.ino);
    if (inode.device)
        put_device(line, inode);
    line.put(",\"mode\":\"0");
    line.put_octal(inode.mode & 07777);
    line.put("\",\"uid\":");
    line.put_quoted_number(inode.uid);
    line.put(",\"gid\":");
    line.put_quoted_number(inode.gid);
}

void put_json_inode(JsonLine& line, const InodeInfo& inode) {
    put_json_inode_numbers(line, inode);
    const std::string_view type = ecs_file_type(inode.mode);
    if (type.empty())
        return;
    line.put(",\"type\":");
    line.put_quoted(type);
}

} // namespace telemetry
