// SPDX-License-Identifier: MIT
#include "telemetry/output/ocsf/objects.hpp"

#include <sys/stat.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/ocsf/process.hpp"

namespace telemetry {
namespace {

using Form = Address::Form;

struct FileType {
    int id;
    std::string_view name;
};

FileType file_type(const PathField& path) {
    if (!path.has_inode)
        return {0, "Unknown"};
    switch (path.inode.mode & S_IFMT) {
    case S_IFREG:
        return {1, "Regular File"};
    case S_IFDIR:
        return {2, "Folder"};
    case S_IFCHR:
        return {3, "Character Device"};
    case S_IFBLK:
        return {4, "Block Device"};
    case S_IFSOCK:
        return {5, "Local Socket"};
    case S_IFIFO:
        return {6, "Named Pipe"};
    case S_IFLNK:
        return {7, "Symbolic Link"};
    default:
        return {99, "Other"};
    }
}

void put_file(JsonLine& line, const FieldName& name, const PathField& path, const Event& event,
              OcsfProcess& process) {
    line.put("{\"name\":");
    const std::string_view base = file_name_of(path);
    line.put_derived(base.empty() ? path.bytes : base);
    line.put(",\"path\":");
    line.put_string(name, path.bytes);
    line.notes.add_path(name, path, false);
    const size_t length = path.bytes.size() - base.size();
    if (!base.empty()) {
        line.put(",\"parent_folder\":");
        line.put_derived(path.bytes.substr(0, length > 1 ? length - 1 : 1));
    }
    const size_t point = base.rfind('.');
    if (point != std::string_view::npos && point > 0 && point + 1 < base.size()) {
        line.put(",\"ext\":");
        line.put_derived(base.substr(point + 1));
    }
    const FileType type = file_type(path);
    line.put(",\"type_id\":");
    line.put_decimal(static_cast<uint64_t>(type.id));
    line.put(",\"type\":");
    line.put_quoted(type.name);
    if (path.has_inode) {
        line.put(",\"uid\":");
        line.put_quoted_number(path.inode.ino);
        process.put_owner(line, event, path.inode);
    }
    line.put('}');
}

bool is_endpoint(const Address& address) {
    return address.is_ip() || address.form == Form::unix_path || address.form == Form::unix_abstract;
}

void put_endpoint(JsonLine& line, std::string_view key, std::string_view name, const Address& address) {
    if (!is_endpoint(address))
        return;
    line.put(key);
    if (address.is_ip()) {
        Address plain = address;
        plain.scope = 0;
        line.put("\"ip\":\"");
        put_ip(line, plain);
        line.put('"');
        if (address.has_port) {
            line.put(",\"port\":");
            line.put_decimal(address.port);
        }
    } else {
        line.put("\"name\":\"");
        if (address.form == Form::unix_abstract)
            line.put('@');
        line.put_inside_string({name, -1, "name"}, address.name);
        line.put('"');
    }
    line.put('}');
}

std::string_view direction(SocketRole role) {
    switch (role) {
    case SocketRole::ingress:
        return R"("direction_id":1,"direction":"Inbound")";
    case SocketRole::egress:
        return R"("direction_id":2,"direction":"Outbound")";
    default:
        return R"("direction_id":0,"direction":"Unknown")";
    }
}

void put_protocol(JsonLine& line, const Event& event, const Address& any) {
    if (any.is_ip()) {
        line.put(",\"protocol_ver_id\":");
        line.put(any.form == Form::inet ? '4' : '6');
    }
    if (event.socket_status != Status::ok || !event.socket.protocol)
        return;
    line.put(",\"protocol_num\":");
    line.put_decimal(event.socket.protocol);
    const std::string_view name = ecs_transport(event.socket.protocol);
    if (!name.empty()) {
        line.put(",\"protocol_name\":");
        line.put_quoted(name);
    }
}

} // namespace

bool has_ocsf_endpoint(const Ends& ends) {
    return is_endpoint(ends.named) || is_endpoint(ends.local) || is_endpoint(ends.remote);
}

void put_ocsf_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role,
                      CommunityId& ids) {
    const Address& own = role == SocketRole::own ? ends.named : ends.local;
    const Address& peer = role == SocketRole::own ? ends.remote : ends.named;
    const bool incoming = role == SocketRole::ingress;
    put_endpoint(line, ",\"src_endpoint\":{", "src_endpoint", incoming ? peer : own);
    put_endpoint(line, ",\"dst_endpoint\":{", "dst_endpoint", incoming ? own : peer);
    line.put(",\"connection_info\":{");
    line.put(direction(role));
    put_protocol(line, event, ends.named.is_ip() ? ends.named : own);
    if (event.socket_status == Status::ok && CommunityId::is_known(own, peer, event.socket.protocol)) {
        line.put(",\"community_uid\":\"");
        ids.put(line, own, peer, event.socket.protocol);
        line.put('"');
    }
    line.put('}');
    const bool named_is_source = incoming || role == SocketRole::own;
    const FieldName named = {named_is_source ? "src_endpoint" : "dst_endpoint"};
    if (ends.from_sockaddr || ends.named.form == Form::none)
        line.notes.add(named, event.sockaddr);
    else if (event.socket_shared)
        line.notes.add_mark(named, Mark::shared);
}

void put_ocsf_files(JsonLine& line, const Event& event, OcsfProcess& process) {
    const Files files = files_of(event);
    line.put(",\"file\":");
    put_file(line, {"file.path"}, files.original ? *files.original : *files.file, event, process);
    if (!files.original)
        return;
    line.put(",\"file_result\":");
    put_file(line, {"file_result.path"}, *files.file, event, process);
}

void put_ocsf_module(JsonLine& line, const Event& event, OcsfProcess& process) {
    line.put(R"(,"module":{"type":"Kernel Module","load_type_id":99,"load_type":"Kernel")");
    const PathField* path = files_of(event).file;
    if (path && path->known() && !path->bytes.empty()) {
        line.put(",\"file\":");
        put_file(line, {"module.file.path"}, *path, event, process);
    } else if (event.strings && event.string[0].known() &&
               event.call->event_class == ebpf_loader::EventClass::driver_end) {
        line.put(",\"file\":{\"name\":");
        line.put_string({"module.file.name"}, event.string[0].bytes);
        line.put(R"(,"type_id":0,"type":"Unknown"})");
        line.notes.add({"module.file.name"}, event.string[0]);
    }
    line.put('}');
}

void put_ocsf_kernel(JsonLine& line, const Event& event) {
    line.put(R"(,"kernel":{"type_id":2,"type":"System Call","name":")");
    put_ocsf_call_name(line, event);
    line.put(R"(","system_call":")");
    put_ocsf_call_name(line, event);
    line.put("\"}");
}

void put_ocsf_account(JsonLine& line, uint32_t id, std::string_view name) {
    line.put("{\"uid\":");
    line.put_quoted_number(id);
    if (!name.empty()) {
        line.put(",\"name\":");
        line.put_derived(name);
    }
    line.put('}');
}

void put_ocsf_call_name(LineBuffer& line, const Event& event) {
    if (event.call) {
        line.put(event.call->name);
    } else if (const std::string_view name = process_event_name(event.kind); !name.empty()) {
        line.put(name);
    } else {
        line.put("syscall_");
        line.put_signed(event.nr);
    }
}

} // namespace telemetry
