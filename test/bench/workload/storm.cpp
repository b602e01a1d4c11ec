// SPDX-License-Identifier: MIT
#include "test/bench/workload/workload.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace workload {
namespace {

/// What the processes of a storm share.
struct Shared {
    std::atomic<uint32_t> ready;
    std::atomic<bool> go;
    std::atomic<uint64_t> done;
    std::atomic<uint64_t> longest_ns;
};

Shared& share() {
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail(std::string("mmap: ") + strerror(errno));
    return *new (memory) Shared{};
}

/// Returns how many calls it made.
using Part = std::function<uint64_t(size_t index)>;

int child(Shared& shared, int cpu, size_t index, const Part& part) {
    pin(cpu);
    shared.ready++;
    while (!shared.go)
        usleep(100);
    const uint64_t start = now_ns();
    shared.done += part(index);
    const uint64_t took = now_ns() - start;
    uint64_t longest = shared.longest_ns;
    while (took > longest && !shared.longest_ns.compare_exchange_weak(longest, took)) {
    }
    return 0;
}

/// Runs a part on each CPU, all from the same moment on, and prints what they did.
int run_parts(const std::vector<int>& cpus, const Part& part) {
    Shared& shared = share();
    for (size_t i = 0; i < cpus.size(); i++) {
        const pid_t pid = fork();
        if (pid < 0)
            fail(std::string("fork: ") + strerror(errno));
        if (pid == 0)
            try {
                _exit(child(shared, cpus[i], i, part));
            } catch (const std::exception& error) {
                fprintf(stderr, "bench_workload: %s\n", error.what());
                shared.ready++;
                _exit(1);
            }
    }
    while (shared.ready < cpus.size())
        usleep(100);
    shared.go = true;
    bool good = true;
    for (int status; wait(&status) > 0;)
        good &= status == 0;
    if (!good)
        fail("one of the processes failed");
    printf("%lu %lu\n", shared.done.load(), shared.longest_ns.load());
    return 0;
}

uint64_t open_until(const std::string& path, uint64_t end) {
    constexpr uint64_t between_looks = 64; ///< at the clock
    uint64_t calls = 0;
    for (; now_ns() < end; calls += between_looks)
        for (uint64_t i = 0; i < between_looks; i++) {
            const long fd = syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY);
            if (fd < 0 || syscall(SYS_close, fd) != 0)
                fail(path + ": " + strerror(errno));
        }
    return calls;
}

} // namespace

int run_storm(const Storm& storm) {
    const auto path = [&](size_t index) { return storm.folder + "/storm" + std::to_string(index); };
    for (size_t i = 0; i < storm.cpus.size(); i++) {
        const int fd = open(path(i).c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
        if (fd < 0)
            fail(path(i) + ": " + strerror(errno));
        close(fd);
    }
    return run_parts(storm.cpus,
                     [&](size_t index) { return open_until(path(index), now_ns() + storm.time_ns); });
}

int run_short_lived(const std::vector<int>& cpus, uint64_t count) {
    const uint64_t each = count / cpus.size();
    return run_parts(cpus, [&](size_t) {
        for (uint64_t i = 0; i < each; i++) {
            const pid_t pid = fork();
            if (pid == 0)
                _exit(0);
            if (pid < 0 || waitpid(pid, nullptr, 0) != pid)
                fail(std::string("fork: ") + strerror(errno));
        }
        return each;
    });
}

} // namespace workload
