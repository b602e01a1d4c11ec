// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/procfs.hpp"

#include <ebpf_loader/error.hpp>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

namespace ebpf_loader {

namespace {

/// /proc/self/timens_offsets: a clock, seconds and nanoseconds a line. Absent before Linux 5.6.
bool has_shifted_clocks() {
    std::ifstream offsets("/proc/self/timens_offsets");
    std::string clock;
    long long seconds, nanoseconds;
    while (offsets >> clock >> seconds >> nanoseconds)
        if (seconds != 0 || nanoseconds != 0)
            return true;
    return false;
}

/// What this process is called in /proc; 0: it is not in there.
long own_name() {
    char name[32] = "";
    return readlink("/proc/self", name, sizeof(name) - 1) > 0 ? strtol(name, nullptr, 10) : 0;
}

} // namespace

void require_proc() {
    const long own = own_name();
    if (own != getpid() && access("/proc/version", F_OK) == 0)
        throw Error(
            ErrorCode::resources,
            "this process is in a PID namespace of its own, and /proc is another one's, most likely the "
            "host's: process " +
                std::to_string(getpid()) + " here is " + (own ? "process " + std::to_string(own) : "none") +
                " there. Start it in the host's PID namespace: with hostPID: true in Kubernetes, "
                "--pid=host in Docker and Podman");
    if (access("/proc/self/fd", X_OK))
        throw Error(ErrorCode::resources,
                    "/proc is not mounted, but loading and the self-check need it; run: "
                    "mount -t proc proc /proc");
    if (has_shifted_clocks())
        throw Error(
            ErrorCode::resources,
            "this process is in a time namespace with shifted clocks (/proc/self/timens_offsets), so all "
            "times would be wrong; start it outside, for example with: nsenter --time --target 1");
}

namespace {

/// /proc/self/cgroup: one line "ID:CONTROLLERS:PATH" for each hierarchy; that of the unified one is
/// "0::PATH". Returns the unified one's, or the first of the others; empty if this machine has no such
/// hierarchy.
std::string own_cgroup(bool unified) {
    std::ifstream cgroups("/proc/self/cgroup");
    for (std::string line; std::getline(cgroups, line);)
        if (line.starts_with("0::") == unified)
            return line;
    return {};
}

} // namespace

bool has_cgroup_controllers() {
    return !own_cgroup(false).empty();
}

std::string own_unified_cgroup() {
    const std::string line = own_cgroup(true);
    return line.empty() ? line : line.substr(line.find('/'));
}

std::optional<uint64_t> status_number(std::string_view status, std::string_view name, int base) {
    const std::string key = '\n' + std::string(name) + ":\t"; // the first line is the process's name
    const size_t at = status.find(key);
    uint64_t number = 0;
    if (at == status.npos ||
        std::from_chars(status.data() + at + key.size(), status.data() + status.size(), number, base).ec !=
            std::errc{})
        return std::nullopt;
    return number;
}

} // namespace ebpf_loader
