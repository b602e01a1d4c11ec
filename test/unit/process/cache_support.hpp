// SPDX-License-Identifier: MIT
// Events of processes, and a folder made to look like /proc.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "telemetry/process/cache.hpp"

namespace cache_test {

using namespace telemetry;
namespace fs = std::filesystem;

constexpr uint64_t second = 1'000'000'000;

inline Event event_of(uint32_t pid, uint64_t start = second, uint32_t exec_id = 1) {
    Event event;
    event.pid = event.tid = pid;
    event.start_time_ns = start;
    event.exec_id = exec_id;
    event.time_ns = 100 * second;
    return event;
}

inline Event with_image(Event event, std::string_view exe, std::string_view argv = {}) {
    event.carries_image = true;
    event.image.exe.bytes = exe;
    event.image.exe.status = Status::ok;
    event.image.exe.has_inode = true;
    event.image.exe.inode.mode = S_IFREG | 0755;
    event.image.argv.bytes = argv;
    event.image.argv.status = argv.empty() ? Status::fault : Status::ok;
    event.image.argv.count = count_strings(argv);
    return event;
}

inline Event fork_of(Event parent, uint32_t child, uint64_t child_start) {
    parent.kind = EBT_FORK;
    parent.child_pid = child;
    parent.child_start_time_ns = child_start;
    parent.child_status = Status::ok;
    return parent;
}

inline Event exit_of(Event event) {
    event.kind = EBT_EXIT;
    return event;
}

/// A folder made to look like /proc.
class FakeProc {
  public:
    FakeProc() {
        char name[] = "/tmp/fake_proc_XXXXXX";
        root_ = mkdtemp(name);
    }
    ~FakeProc() { fs::remove_all(root_); }

    void add(uint32_t pid, uint64_t start_ticks, const std::string& exe, const std::string& argv,
             const std::string& comm = "a) b (c", int tty = 0) {
        fs::path folder = root_ / std::to_string(pid);
        fs::create_directories(folder);
        std::ofstream(folder / "stat") << pid << " (" << comm << ") S 1 1 1 " << tty
                                       << " -1 0 0 0 0 0 1 2 3 4 20 0 1 0 " << start_ticks << " 99 98\n";
        std::ofstream(folder / "cmdline") << argv;
        fs::remove(folder / "exe");
        if (!exe.empty())
            fs::create_symlink(exe, folder / "exe");
    }
    void remove(uint32_t pid) { fs::remove_all(root_ / std::to_string(pid)); }

    Procfs reader() const { return Procfs(root_); }
    fs::path root_;
};

struct ProcessCacheTest : testing::Test {
    FakeProc proc;
    ProcessCache cache{ProcessCache::Limits{}, proc.reader()};

    std::string exe_after(Event event) {
        cache.enrich(event);
        return event.image.exe.known() ? std::string(event.image.exe.bytes) : "?";
    }
    Status status_after(Event event) {
        cache.enrich(event);
        return event.image.exe.status;
    }
};

} // namespace cache_test
