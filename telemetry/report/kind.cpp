// SPDX-License-Identifier: MIT
#include "telemetry/report/kind.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "telemetry/recorded/fields.hpp"

namespace telemetry::report {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 13> of_credentials = {
    "capset",    "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid",
    "setresuid", "setreuid", "setsid",   "setuid", "setns",     "unshare"};

bool has_category(const json& event, std::string_view category) {
    const json* all = field_at(event, "event.category");
    return all && all->is_array() &&
           std::ranges::any_of(*all, [&](const json& one) { return one.is_string() && one == category; });
}

std::string with_port(const json& event, const std::string& end) {
    std::string address = text_at(event, end + ".address");
    const std::string port = text_at(event, end + ".port");
    if (port.empty() || address.empty())
        return address;
    return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + port;
}

/// The first that is not empty.
template <class... Names> std::string first_of(const json& event, Names... names) {
    std::string text;
    (void)((text = text_at(event, names), !text.empty()) || ...);
    return text;
}

/// "a b c" of an array of texts, or "name=value ..." of an object; nothing of anything else.
std::string joined(const json* values, bool is_pointer_shown) {
    std::string text;
    if (!values || !values->is_structured())
        return text;
    for (const auto& [name, value] : values->items()) {
        // What is nested is no argument of ours, and may be as deep as its maker likes.
        std::string one = value.is_string()      ? value.get<std::string>()
                          : value.is_primitive() ? value.dump()
                                                 : std::string("...");
        if (values->is_object()) {
            if (!is_pointer_shown && one.size() > 10 && one.starts_with("0x")) // says nothing to people
                continue;
            one.insert(0, name + "=");
        }
        if (!text.empty())
            text += ' ';
        text += one;
    }
    return text;
}

std::string address_of(const json& event) {
    std::string to = with_port(event, "destination"), from = with_port(event, "source");
    const bool comes_in = text_at(event, "network.direction") == "ingress";
    if (!to.empty() && !comes_in)
        return to;
    if (!from.empty())
        return from;
    return first_of(event, "url.original", "url.path", "linux.socket.address", "linux.socket.name");
}

std::string path_of(const json& event) {
    const std::string path = text_at(event, "file.path");
    const std::string old = text_at(event, "file.Ext.original.path");
    if (!old.empty())
        return old + " \u2192 " + path;
    const std::string target = text_at(event, "file.target_path");
    return target.empty() ? path : path + " \u2192 " + target;
}

std::string end_of(const json& event) {
    const std::string signal = text_at(event, "linux.process.signal");
    return signal.empty() ? "exit " + text_at(event, "process.exit_code") : "killed by signal " + signal;
}

std::string process_object(const json& event) {
    if (const std::string child = text_at(event, "linux.process.child.pid"); !child.empty())
        return "child " + child;
    if (text_at(event, "event.action") == "end")
        return end_of(event);
    return joined(field_at(event, "linux.syscall.args"), false);
}

} // namespace

Kind kind_of(const json& event) {
    const std::string code = text_at(event, "event.code"), kind = text_at(event, "event.kind");
    if (kind == "pipeline_error")
        return Kind::loss;
    if (kind == "state")
        return Kind::state;
    if (code == "execve" || code == "execveat" || code == "process_exec")
        return Kind::exec;
    if (std::ranges::find(of_credentials, code) != of_credentials.end())
        return Kind::credentials;
    if (has_category(event, "network"))
        return Kind::network;
    if (has_category(event, "file"))
        return Kind::file;
    return has_category(event, "process") ? Kind::process : Kind::other;
}

std::string object_of(const json& event, Kind kind) {
    switch (kind) {
    case Kind::exec: {
        const std::string asked_for = joined(field_at(event, "linux.syscall.argv"), true);
        return !asked_for.empty()
                   ? asked_for
                   : first_of(event, "process.command_line", "file.path", "process.executable");
    }
    case Kind::process:
        return process_object(event);
    case Kind::file:
        return path_of(event);
    case Kind::network:
        return address_of(event);
    case Kind::loss:
        return text_at(event, "linux.telemetry.loss.cause") + " \u00d7 " +
               text_at(event, "linux.telemetry.loss.count");
    case Kind::state:
        return joined(field_at(event, "linux.telemetry.balance"), true);
    case Kind::credentials:
        return joined(field_at(event, "linux.syscall.args"), false);
    case Kind::other:
        break;
    }
    const std::string path = path_of(event);
    return path.empty() ? joined(field_at(event, "linux.syscall.args"), false) : path;
}

std::string detail_of(const json& event, Kind kind) {
    if (kind == Kind::exec && !text_at(event, "error.code").empty())
        return text_at(event, "file.path");
    if (kind == Kind::network)
        return first_of(event, "network.transport", "linux.socket.family");
    std::string text;
    if (const json* flags = field_at(event, "linux.syscall.flags"); flags && flags->is_object())
        for (const json& names : *flags)
            text += (text.empty() ? "" : " ") + joined(&names, true);
    return text;
}

} // namespace telemetry::report
