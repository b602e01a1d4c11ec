// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace ebpf_loader {

/// A file as stat(2) and /proc show it.
struct OwnFile {
    enum Path { with_path, without_path };
    std::string path; ///< empty: not compared
    uint64_t ino = 0;
    uint32_t mode = 0, uid = 0, gid = 0;
    uint32_t magic = 0;  ///< of its file system; 0: not compared
    uint32_t device = 0; ///< as in struct ebt_inode
};
/// For a descriptor of ours; without_path for what no path leads to (a pipe).
OwnFile own_file(int fd, OwnFile::Path path);

/// Start of a process in clock ticks since boot, from /proc/PID/stat; 0 when it is gone.
uint64_t process_start_ticks(pid_t pid);

/// What /proc has of this process: the other side of the self-check.
struct OwnProcess {
    OwnProcess();
    static uint64_t clock_tick_ns();

    uint32_t pid = 0, ppid = 0;
    uint64_t start_ticks = 0;
    uint64_t ns_per_tick = clock_tick_ns();
    uint32_t ids[8] = {};                  ///< uid euid suid fsuid, gid egid sgid fsgid
    uint64_t permitted = 0, effective = 0; ///< capabilities
    std::optional<uint32_t> auid, ses;
    std::string comm, argv, exe, cwd;
    bool exe_deleted = true;            ///< no path leads there any more
    std::optional<uint64_t> argv_bytes; ///< argv may be longer: setproctitle(3) goes on where the
                                        ///< environment was
    std::string tty;                    ///< "pts/3"; empty when its name is not known
    bool has_tty = false;
    bool initial_pid_namespace = false;
    bool initial_user_namespace = false;
};

} // namespace ebpf_loader
