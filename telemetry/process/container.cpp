// SPDX-License-Identifier: MIT
#include "telemetry/process/container.hpp"

#include <algorithm>

namespace telemetry {
namespace {

struct Prefix {
    std::string_view prefix; ///< of a cgroup's name, before the id
    std::string_view runtime;
};
constexpr Prefix prefixes[] = {
    {"docker-", "docker"}, {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"}, {"crio-", "cri-o"},
    {"libpod-", "podman"},
};

/// Cgroups that hold a container's by their id alone.
constexpr Prefix parents[] = {
    {"docker", "docker"},
    {"containerd", "containerd"},
    {"libpod_parent", "podman"},
    {"ecs", "ecs"},
};

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// Takes the last name off a path.
std::string_view take_last(std::string_view& path) {
    const size_t slash = path.rfind('/');
    const std::string_view name = path.substr(slash == path.npos ? 0 : slash + 1);
    path = slash == path.npos ? std::string_view() : path.substr(0, slash);
    return name;
}

std::string_view runtime_of_parent(std::string_view path) {
    while (!path.empty()) {
        const std::string_view name = take_last(path);
        for (const Prefix& parent : parents)
            if (name == parent.prefix)
                return parent.runtime;
    }
    return {};
}

/// A name as systemd has it in the name of a unit: "a\\x2db" is "a-b".
std::string unescaped(std::string_view name) {
    constexpr std::string_view escape = "\\x";
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string text;
    for (size_t i = 0; i < name.size(); i++) {
        const bool escapes = name.substr(i).starts_with(escape) && i + 3 < name.size() &&
                             is_hex(name[i + 2]) && is_hex(name[i + 3]);
        text += escapes ? static_cast<char>(digit(name[i + 2]) << 4 | digit(name[i + 3])) : name[i];
        i += escapes ? 3 : 0;
    }
    return text;
}

/// Containers that have a name and no digits: it is their id then. Virtual machines of libvirt have scopes
/// like those of systemd-nspawn.
Container named_container(std::string_view name, std::string_view above) {
    constexpr std::string_view lxc = "lxc.payload.", nspawn = "machine-", scope = ".scope",
                               virtual_machine = "qemu\\x2d", libvirt_lxc = "lxc\\x2d",
                               service = "systemd-nspawn@", end = ".service";
    if (name.starts_with(lxc) && name.size() > lxc.size())
        return {std::string(name.substr(lxc.size())), "lxc"};
    if (name.starts_with(service) && name.ends_with(end) && name.size() > service.size() + end.size())
        return {unescaped(name.substr(service.size(), name.size() - service.size() - end.size())),
                "systemd-nspawn"};
    if (name.starts_with(nspawn) && name.ends_with(scope) && name.size() > nspawn.size() + scope.size()) {
        const std::string_view machine =
            name.substr(nspawn.size(), name.size() - nspawn.size() - scope.size());
        if (machine.starts_with(virtual_machine))
            return {};
        return {unescaped(machine), machine.starts_with(libvirt_lxc) ? "libvirt" : "systemd-nspawn"};
    }
    const bool is_child = above.ends_with("/garden") || above.ends_with("/lxc");
    if (is_child && !name.empty())
        return {std::string(name), above.ends_with("/lxc") ? "lxc" : "garden"};
    return {};
}

/// The container that one name of the path belongs to; its id is empty where it belongs to none.
Container container_named(std::string_view name, std::string_view above) {
    constexpr std::string_view scope = ".scope";
    const std::string_view whole = name;
    if (name.ends_with(scope))
        name.remove_suffix(scope.size());
    if (is_container_id(name))
        return {std::string(name), runtime_of_parent(above)};
    for (const Prefix& known : prefixes)
        if (name.starts_with(known.prefix) && is_container_id(name.substr(known.prefix.size())))
            return {std::string(name.substr(known.prefix.size())), known.runtime};
    if (Container found = named_container(whole, above); !found.id.empty())
        return found;
    const size_t colon = name.rfind(':'); // systemd's "slice:cri-containerd:id"
    if (colon == name.npos || !is_container_id(name.substr(colon + 1)))
        return {};
    const std::string before = std::string(name.substr(0, colon)) + '-';
    const auto* known = std::ranges::find_if(
        prefixes, [&](const Prefix& p) { return std::string_view(before).ends_with(p.prefix); });
    return {std::string(name.substr(colon + 1)),
            known == std::end(prefixes) ? std::string_view() : known->runtime};
}

/// The uid of a Kubernetes pod, in the name of its cgroup: "pod<uid>" or, as systemd's slices have it,
/// "kubepods-burstable-pod<uid>.slice" with '_' for each '-' of the uid. A UUID, or of a static pod 32
/// hexadecimal digits. Empty where the name has none.
std::string pod_named(std::string_view name) {
    constexpr std::string_view slice = ".slice", pod = "pod";
    constexpr size_t digits = 32, with_dashes = 36;
    name = name.substr(0, name.find(':')); // systemd's "slice:cri-containerd:id"
    if (name.ends_with(slice))
        name.remove_suffix(slice.size());
    const size_t at = name.rfind(pod);
    if (at == name.npos || (at > 0 && name[at - 1] != '-'))
        return {};
    std::string uid(name.substr(at + pod.size()));
    std::ranges::replace(uid, '_', '-'); // a dash parts the levels of slices
    const bool is_uid =
        (uid.size() == digits && std::ranges::all_of(uid, is_hex)) ||
        (uid.size() == with_dashes && std::ranges::all_of(uid, [](char c) { return is_hex(c) || c == '-'; }));
    return is_uid ? uid : std::string();
}

/// That of the innermost cgroup that has one, from a container's own upwards.
std::string pod_of(std::string_view path) {
    if (path.find("kubepods") == path.npos)
        return {};
    while (!path.empty())
        if (std::string uid = pod_named(take_last(path)); !uid.empty())
            return uid;
    return {};
}

} // namespace

bool is_container_id(std::string_view text) {
    if (text.size() == 64)
        return std::ranges::all_of(text, is_hex);
    const size_t dash = text.find('-');
    if (dash != 32 || text.size() < 34 || text.size() > 44)
        return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::ranges::all_of(text.substr(0, dash), is_hex) &&
           std::ranges::all_of(text.substr(dash + 1), is_digit);
}

Container container_of(std::string_view path) {
    while (!path.empty()) { // the innermost first: a container may run in another
        const std::string_view whole = path;
        const std::string_view name = take_last(path);
        Container found = container_named(name, path);
        if (!found.id.empty()) {
            found.pod = pod_of(whole);
            return found;
        }
    }
    return {};
}

} // namespace telemetry
