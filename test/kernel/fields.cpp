// SPDX-License-Identifier: MIT
#include "test/kernel/fields.hpp"

#include <algorithm>

#include "test/event_name.hpp"

namespace kernel_test {

namespace {

constexpr const char* status_names[] = {"absent", "ok", "truncated", "fault", "unavailable"};
constexpr const char* source_names[] = {"kernel", "user_memory", "procfs"};

std::string hex(std::string_view bytes) {
    std::string result;
    for (unsigned char byte : bytes) {
        result += "0123456789abcdef"[byte >> 4];
        result += "0123456789abcdef"[byte & 15];
    }
    return result;
}

std::string hex(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

std::string octal(uint32_t value) {
    char text[16];
    snprintf(text, sizeof text, "0%o", value);
    return text;
}

/// A text, whoever reports it.
struct TextView {
    std::string_view bytes;
    unsigned status, source, original, flags;
};

class Writer {
  public:
    template <typename T> void number(const std::string& name, T value) {
        fields_.emplace_back(name, std::to_string(value));
    }
    void put(const std::string& name, std::string value) { fields_.emplace_back(name, std::move(value)); }

    void text(const std::string& name, const TextView& text) {
        put(name, status_names[text.status]);
        if (text.status == LOG_ABSENT)
            return;
        put(name + ".bytes", std::string(text.bytes));
        put(name + ".source", source_names[text.source]);
        if (text.status == LOG_FAULT || text.status == LOG_UNAVAILABLE)
            return;
        put(name + ".original_length",
            text.flags & LOG_ANY_LENGTH ? anything : std::to_string(text.original));
        put(name + ".detached", text.flags & LOG_DETACHED ? "yes" : "no");
        put(name + ".foreign", text.flags & LOG_ANY_FOREIGN ? anything
                               : text.flags & LOG_FOREIGN   ? "yes"
                                                            : "no");
        put(name + ".length_is_minimum", text.flags & LOG_AT_LEAST ? "yes" : "no");
    }
    /// An InodeInfo or log_path.
    template <class Inode>
    void inode(const std::string& name, bool has, const Inode& inode, const std::string& device) {
        put(name + ".inode", has ? std::to_string(inode.ino) : "none");
        if (!has)
            return;
        put(name + ".device", device);
        put(name + ".mode", octal(inode.mode));
        number(name + ".uid", inode.uid);
        number(name + ".gid", inode.gid);
    }
    Fields take() { return std::move(fields_); }

  private:
    Fields fields_;
};

unsigned flags_of(const telemetry::Text& text) {
    return (text.detached ? LOG_DETACHED : 0) | (text.foreign ? LOG_FOREIGN : 0) |
           (text.length_is_minimum ? LOG_AT_LEAST : 0);
}

TextView view(const telemetry::Text& text) {
    return {text.bytes, static_cast<unsigned>(text.status), static_cast<unsigned>(text.source),
            text.original_length, flags_of(text)};
}

TextView view(const call_log& log, const log_text& text) {
    return {{log.bytes + text.offset, text.length}, text.status, text.source, text.original, text.flags};
}

void describe_path(Writer& out, const std::string& name, const telemetry::PathField& path) {
    out.text(name, view(path));
    if (path.status == telemetry::Status::absent)
        return;
    out.number(name + ".argument", path.argument);
    out.put(name + ".relative", path.relative ? "yes" : "no");
    out.put(name + ".lexical", path.lexical ? "yes" : "no");
    out.inode(name, path.has_inode, path.inode, std::to_string(path.inode.device));
}

void expect_path(Writer& out, const call_log& log, const std::string& name, const log_path& path) {
    out.text(name, view(log, path.text));
    if (path.text.status == LOG_ABSENT)
        return;
    out.number(name + ".argument", path.text.argument);
    out.put(name + ".relative", path.text.flags & LOG_RELATIVE ? "yes" : "no");
    out.put(name + ".lexical", path.text.flags & LOG_LEXICAL ? "yes" : "no");
    out.inode(name, path.text.flags & LOG_HAS_INODE, path,
              path.device ? std::to_string(path.device) : anything);
}

void describe_list(Writer& out, const std::string& name, const telemetry::StringList& list) {
    out.text(name, view(list));
    if (list.status != telemetry::Status::absent)
        out.number(name + ".count", list.count);
}

void expect_list(Writer& out, const call_log& log, const std::string& name, const log_text& list) {
    const TextView text = view(log, list);
    out.text(name, text);
    if (list.status != LOG_ABSENT)
        out.number(name + ".count", telemetry::count_strings(text.bytes));
}

template <typename Who> void ids(Writer& out, const Who& who) {
    out.number("auid", who.auid);
    out.number("ses", who.ses);
    out.number("uid", who.uid);
    out.number("gid", who.gid);
    out.number("suid", who.suid);
    out.number("sgid", who.sgid);
    out.number("euid", who.euid);
    out.number("egid", who.egid);
    out.number("fsuid", who.fsuid);
    out.number("fsgid", who.fsgid);
}

std::string numbers(std::string_view bytes) {
    std::string list;
    for (size_t at = 0; at + sizeof(int32_t) <= bytes.size(); at += sizeof(int32_t)) {
        int32_t number = 0;
        memcpy(&number, bytes.data() + at, sizeof number);
        list += std::to_string(number) + " ";
    }
    return list;
}

void put_passed(Writer& out, TextView control, std::string_view descriptors) {
    if (control.status == LOG_OK) // of whole ones the length tells nothing more
        control.original = 0;
    control.bytes = {};
    out.text("passed", control);
    out.put("passed.fds", numbers(descriptors));
}

void describe_passed(Writer& out, const telemetry::Event& event) {
    const telemetry::PassedDescriptors* passed = event.passed;
    if (!passed)
        return put_passed(out, {}, {});
    put_passed(out, view(passed->control),
               {reinterpret_cast<const char*>(passed->fd.data()), passed->kept * sizeof(int32_t)});
}

void describe_socket(Writer& out, const telemetry::Event& event) {
    out.put("socket", status_names[static_cast<unsigned>(event.socket_status)]);
    if (event.socket_status != telemetry::Status::ok)
        return;
    const telemetry::SocketInfo& socket = event.socket;
    const auto address = [](const auto& bytes) {
        return hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    out.number("socket.family", socket.family);
    out.number("socket.type", socket.type);
    out.number("socket.protocol", socket.protocol);
    out.number("socket.local_port", socket.local_port);
    out.number("socket.remote_port", socket.remote_port);
    out.put("socket.local", address(socket.local));
    out.put("socket.remote", address(socket.remote));
    out.put("socket.unix_name", std::string(event.unix_name));
}

void expect_socket(Writer& out, const call_log& log, const log_entry& entry) {
    out.put("socket", status_names[entry.socket_status]);
    if (entry.socket_status != LOG_OK)
        return;
    const auto address = [](const uint8_t(&bytes)[16]) {
        return hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
    };
    out.number("socket.family", entry.socket_family);
    out.number("socket.type", entry.socket_type);
    out.number("socket.protocol", entry.socket_protocol);
    const bool any = entry.any & LOG_ANY_ENDS;
    out.put("socket.local_port", any ? anything : std::to_string(entry.local_port));
    out.put("socket.remote_port", any ? anything : std::to_string(entry.remote_port));
    out.put("socket.local", any ? anything : address(entry.local));
    out.put("socket.remote", any ? anything : address(entry.remote));
    out.put("socket.unix_name", std::string(view(log, entry.unix_name).bytes));
}

} // namespace

Fields describe(const telemetry::Event& event) {
    Writer out;
    out.number("kind", event.kind);
    out.put("name", std::string(telemetry::event_name(event)));
    out.number("nr", event.nr);
    out.number("abi", event.abi);
    out.put("returns", event.returns ? "yes" : "no");
    out.number("ret", event.ret);
    out.put("success", event.success() ? "yes" : "no");
    for (size_t i = 0; i < event.args.size(); i++)
        out.put("a" + std::to_string(i), hex(event.args[i]));
    out.put("missing", hex(event.missing));
    out.number("pid", event.pid);
    out.number("tid", event.tid);
    out.number("ppid", event.ppid);
    ids(out, event);
    out.put("comm", std::string(event.comm));
    describe_path(out, "exe", event.image.exe);
    out.text("tty", view(event.image.tty));
    describe_list(out, "argv", event.image.argv);
    out.text("cwd", view(event.cwd));
    out.text("root", view(event.root));
    out.number("paths", event.paths);
    for (size_t i = 0; i < event.paths; i++) {
        const std::string number = std::to_string(i + 1);
        describe_path(out, "path" + number, event.path[i]);
        out.text("called" + number, event.witnessed ? view(event.witnessed->called[i]) : TextView{});
    }
    const bool has_structure = event.structure_layout;
    out.number("strings", event.strings + has_structure);
    const auto describe_string = [&](size_t i, const telemetry::Text& text, uint8_t argument) {
        const std::string name = "string" + std::to_string(i + 1);
        out.text(name, view(text));
        out.number(name + ".argument", argument);
    };
    for (size_t i = 0; i < event.strings; i++)
        describe_string(i, event.string[i], event.string[i].argument);
    if (has_structure)
        describe_string(event.strings, event.structure, event.structure_argument);
    describe_list(out, "exec_argv", event.exec_argv);
    out.text("sockaddr", view(event.sockaddr));
    if (event.sockaddr.status != telemetry::Status::absent)
        out.number("sockaddr.argument", event.sockaddr_argument);
    describe_socket(out, event);
    describe_passed(out, event);
    out.number("child_pid", event.child_pid);
    out.put("child_status", status_names[static_cast<unsigned>(event.child_status)]);
    out.put("lost_fields", event.lost_fields ? "yes" : "no");
    return out.take();
}

Fields expected(const call_log& log, const log_entry& entry) {
    const log_identity& who = log.identity[entry.identity];
    const bool succeeds = entry.returns && entry.ret >= 0;
    const bool forks = entry.kind == LOG_FORK;
    Writer out;
    out.number("kind", entry.kind);
    out.put("name", entry.name);
    out.number("nr", entry.nr);
    out.number("abi", entry.abi);
    out.put("returns", entry.returns ? "yes" : "no");
    out.put("ret", entry.any & LOG_ANY_RET ? anything : std::to_string(entry.ret));
    out.put("success", succeeds ? "yes" : "no");
    for (size_t i = 0; i < std::size(entry.args); i++)
        out.put("a" + std::to_string(i), entry.any >> i & LOG_ANY_ARG ? anything : hex(entry.args[i]));
    out.put("missing", hex(entry.missing));
    out.number("pid", who.pid);
    out.put("tid", entry.any & LOG_ANY_TID ? anything : std::to_string(who.tid));
    out.number("ppid", who.ppid);
    ids(out, who);
    out.put("comm", {who.comm, strnlen(who.comm, sizeof who.comm)});
    expect_path(out, log, "exe", who.exe);
    out.text("tty", view(log, who.tty));
    expect_list(out, log, "argv", who.argv);
    out.text("cwd", view(log, who.cwd));
    out.text("root", view(log, who.root));
    out.number("paths", entry.paths);
    for (size_t i = 0; i < std::min<size_t>(entry.paths, LOG_PATHS); i++) {
        const std::string number = std::to_string(i + 1);
        expect_path(out, log, "path" + number, entry.path[i]);
        out.text("called" + number, view(log, entry.path[i].called));
    }
    out.number("strings", entry.strings);
    for (size_t i = 0; i < std::min<size_t>(entry.strings, LOG_STRINGS); i++) {
        const std::string name = "string" + std::to_string(i + 1);
        out.text(name, view(log, entry.string[i]));
        out.number(name + ".argument", entry.string[i].argument);
    }
    expect_list(out, log, "exec_argv", entry.exec_argv);
    out.text("sockaddr", view(log, entry.sockaddr));
    if (entry.sockaddr.status != LOG_ABSENT)
        out.number("sockaddr.argument", entry.sockaddr.argument);
    expect_socket(out, log, entry);
    put_passed(out, view(log, entry.passed), view(log, entry.passed).bytes);
    out.number("child_pid", entry.child_pid);
    out.put("child_status", status_names[forks ? LOG_OK : LOG_ABSENT]);
    out.put("lost_fields", "no");
    return out.take();
}

std::string in_quotes(std::string_view bytes) {
    std::string result = "\"";
    for (unsigned char byte : bytes) {
        if (byte == '"' || byte == '\\') {
            result += '\\';
            result += static_cast<char>(byte);
        } else if (byte < ' ' || byte >= 0x7f) {
            result += "\\x" + hex(std::string_view(reinterpret_cast<const char*>(&byte), 1));
        } else {
            result += static_cast<char>(byte);
        }
    }
    return result + '"';
}

namespace {

/// The part of a long value where two differ.
std::string around(std::string_view value, size_t at) {
    constexpr size_t before = 40, most = 200;
    const size_t begin = value.size() <= most || at < before ? 0 : at - before;
    std::string text = in_quotes(value.substr(std::min(begin, value.size()), most));
    if (value.size() > most)
        text += " (at " + std::to_string(begin) + " of " + std::to_string(value.size()) + " bytes)";
    return text;
}

std::string difference(const std::string& name, const std::string& expected, const std::string& seen) {
    const auto ends = std::mismatch(expected.begin(), expected.end(), seen.begin(), seen.end());
    const auto at = static_cast<size_t>(ends.first - expected.begin());
    return "  " + name + ": seen " + around(seen, at) + ", expected " + around(expected, at) + "\n";
}

const std::string* find(const Fields& fields, const std::string& name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

} // namespace

std::string differences(const Fields& expected, const Fields& seen) {
    std::string result;
    for (const auto& [name, value] : expected) {
        const std::string* other = find(seen, name);
        if (!other)
            result += "  " + name + ": not there, expected " + around(value, 0) + "\n";
        else if (value != anything && *other != anything && *other != value)
            result += difference(name, value, *other);
    }
    for (const auto& [name, value] : seen)
        if (!find(expected, name))
            result += "  " + name + ": seen " + around(value, 0) + ", expected nothing of the kind\n";
    return result;
}

} // namespace kernel_test
