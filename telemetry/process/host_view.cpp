// SPDX-License-Identifier: MIT
#include "telemetry/process/host_view.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/process/procfs.hpp"

namespace telemetry {

namespace {

[[noreturn]] void refuse_view(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why);
}

bool is_folder(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_proc(const std::string& path) {
    struct statfs system {};
    return statfs(path.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/// In the machine's first PID namespace, and nowhere else, process 2 is the kernel's thread that starts the
/// others.
bool shows_all_processes(const std::string& proc) {
    constexpr uint32_t starter_of_threads = 2;
    const auto stat = Procfs(proc).stat(starter_of_threads);
    return stat && stat->is_kernel_thread;
}

/// Is it the folder of the machine's first process? True, too, where that one does not let us look.
bool has_machine_files(const HostView& view) {
    struct stat first {
    }, own{};
    if (stat((view.proc + "/1/root/etc").c_str(), &first) != 0)
        return true;
    return stat((view.root + "/etc").c_str(), &own) == 0 && first.st_dev == own.st_dev &&
           first.st_ino == own.st_ino;
}

} // namespace

void require_host_view(const HostView& view) {
    if (view.proc != HostView().proc && !is_proc(view.proc))
        refuse_view("--host-proc: no proc file system is mounted at '" + view.proc +
                    "'; mount the machine's /proc there: a hostPath volume in Kubernetes, -v /proc:" +
                    view.proc + ":ro in Docker and Podman");
    if (!is_folder(view.root + "/etc") && !view.root.empty())
        refuse_view(
            "--host-root: there is no folder " + view.root +
            "/etc; mount the machine's / there, or its /etc: a hostPath volume in Kubernetes, -v /etc:" +
            view.root + "/etc:ro in Docker and Podman");
}

std::vector<std::string> missing_of_host(const HostView& view) {
    std::vector<std::string> missing;
    if (!shows_all_processes(view.proc)) {
        missing.push_back(view.proc + " shows the processes of a PID namespace, not those of the machine, so "
                                      "what is known of processes from "
                                      "/proc (executables, arguments, containers of those that ran before) "
                                      "will be absent. Start the program "
                                      "in the machine's PID namespace (hostPID: true in Kubernetes, "
                                      "--pid=host in Docker and Podman), or mount "
                                      "the machine's /proc and name it with --host-proc");
        return missing; // its process 1 is not the machine's
    }
    if (!has_machine_files(view))
        missing.push_back(
            view.root +
            "/etc is not the machine's, so names of users and groups, the machine's id and its "
            "distribution may be a container's. Mount the machine's / or /etc and name the folder "
            "above it with --host-root");
    return missing;
}

} // namespace telemetry
