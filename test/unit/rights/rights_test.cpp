// SPDX-License-Identifier: MIT
// What a process gives up, it gives up for good: each test does so in a process of its own.
#include <cerrno>
#include <csignal>
#include <functional>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "telemetry/process/procfs.hpp"
#include "telemetry/rights/aside_thread.hpp"
#include "telemetry/rights/capabilities.hpp"
#include "telemetry/rights/system_calls.hpp"
#include "test/unit/support/emulated.hpp"

using namespace telemetry;

namespace {

#ifdef EBT_SANITIZED // the sanitizers make system calls of their own, and end with one that is not allowed
#define SKIP_SANITIZED() GTEST_SKIP() << "sanitizers"
#else
#define SKIP_SANITIZED()
#endif

/// The wait status of a process that ends with what `act` returns.
int status_of(const std::function<int()>& act) {
    const pid_t child = fork();
    if (child == 0)
        _exit(act());
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

int exit_of(const std::function<int()>& act) {
    const int status = status_of(act);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// With the list in force.
int restricted(const std::function<int()>& act) {
    return exit_of([&] { return restrict_system_calls().empty() ? act() : 99; });
}

TEST(SystemCalls, OthersFailAndAreNamed) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    EXPECT_EQ(restricted([] {
                  if (take_refused_call())
                      return 1;
                  errno = 0;
                  if (syscall(SYS_acct, nullptr) != -1 || errno != EPERM)
                      return 2;
                  if (take_refused_call() != "acct" || take_refused_call())
                      return 3;
                  return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0) == -1 && take_refused_call() == "socket"
                             ? 0
                             : 4;
              }),
              0);
}

TEST(SystemCalls, AreThoseOfAllThreads) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    EXPECT_EQ(exit_of([] {
                  std::atomic<bool> is_restricted = false;
                  std::atomic<int> error = 0;
                  std::thread thread = start_aside([&] {
                      while (!is_restricted)
                          usleep(1000);
                      error = syscall(SYS_acct, nullptr) == -1 ? errno : 0;
                  });
                  if (!restrict_system_calls().empty())
                      return 99;
                  is_restricted = true;
                  thread.join();
                  return error == EPERM && take_refused_call() == "acct" ? 0 : 1;
              }),
              0);
}

TEST(SystemCalls, ThoseOfTakenOverProgramsEndIt) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    const int killed = 128 + SIGSYS;
    EXPECT_EQ(restricted([] { return execl("/bin/true", "true", nullptr); }), killed);
    EXPECT_EQ(restricted([] { return static_cast<int>(fork()); }), killed);
    EXPECT_EQ(restricted([] { return static_cast<int>(syscall(SYS_ptrace, 0, 0, 0, 0)); }), killed);
    EXPECT_EQ(restricted([] { return setuid(0); }), killed);
}

TEST(SystemCalls, ThreadsMemoryAndSocketsStay) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    EXPECT_EQ(restricted([] {
                  int value = 0;
                  std::thread([&] { value = 7; }).join();
                  void* memory =
                      mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
                  return value == 7 && memory != MAP_FAILED && fd >= 0 && !take_refused_call() ? 0 : 1;
              }),
              0);
}

TEST(SystemCalls, NoMemoryIsWrittenAndExecuted) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    EXPECT_EQ(restricted([] {
                  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return memory == MAP_FAILED && take_refused_call() == "mmap" ? 0 : 1;
              }),
              0);
}

TEST(Capabilities, AreGoneForGood) {
    if (permitted_capabilities() == 0)
        GTEST_SKIP() << "needs root";
    const CapabilityMask kept = capability(CAP_SYS_PTRACE) & permitted_capabilities();
    EXPECT_EQ(exit_of([&] {
                  if (!set_capabilities(kept, kept) || permitted_capabilities() != kept)
                      return 1;
                  const CapabilityMask more = kept | capability(CAP_SYS_ADMIN);
                  return !set_capabilities(more, more) && permitted_capabilities() == kept ? 0 : 2;
              }),
              0);
}

TEST(Capabilities, ThreadsAsideHaveNoneUnlessAllAreKept) {
    const CapabilityMask own = permitted_capabilities();
    CapabilityMask aside = own;
    start_aside([&] { aside = permitted_capabilities(); }).join();
    EXPECT_EQ(aside, 0u);
    EXPECT_EQ(permitted_capabilities(), own);
    EXPECT_EQ(exit_of([&] {
                  keep_rights();
                  start_aside([&] { aside = permitted_capabilities(); }).join();
                  return aside == own ? 0 : 1;
              }),
              0);
}

/// What docs/security.md says that /proc asks for, of a process of another user and of one with all
/// capabilities.
TEST(Capabilities, AreEnoughToReadProcessesOfOthers) {
    if (!(permitted_capabilities() & capability(CAP_SYS_PTRACE)) || getuid() != 0)
        GTEST_SKIP() << "needs root";
    int alive[2];
    ASSERT_EQ(pipe(alive), 0);
    setenv("EBT_RIGHTS", "seen", 1);
    std::vector<pid_t> others;
    for (const uid_t uid : {0u, 65534u}) {
        others.push_back(fork());
        if (others.back() == 0) {
            close(alive[1]);
            dup2(alive[0], STDIN_FILENO);
            if (setgid(uid) != 0 || setuid(uid) != 0)
                _exit(1);
            execl("/bin/cat", "cat", nullptr);
            _exit(1);
        }
    }
    const auto reads = [&](CapabilityMask with, bool environment) {
        return exit_of([&] {
            set_capabilities(with, with);
            Procfs procfs("/proc", environment ? EnvironmentNames({"EBT_RIGHTS"}) : EnvironmentNames());
            for (const pid_t other : others) {
                const auto* process = procfs.read(static_cast<uint32_t>(other));
                for (int i = 0; i < 1000 && (!process || process->comm != "cat"); ++i) {
                    usleep(1000); // until it executes
                    process = procfs.read(static_cast<uint32_t>(other));
                }
                if (!process || !process->image.exe.known() || !process->image.namespaces.mnt)
                    return 1;
                if (environment &&
                    process->image.environment.bytes != std::string_view("EBT_RIGHTS=seen\0", 16))
                    return 2;
            }
            return 0;
        });
    };
    const CapabilityMask tracing = capability(CAP_SYS_PTRACE);
    EXPECT_EQ(reads(tracing, false), 0);
    EXPECT_EQ(reads(tracing | capability(CAP_DAC_READ_SEARCH), true), 0);
    EXPECT_EQ(reads(tracing, true), 2);
    EXPECT_EQ(reads(0, false), 1);
    close(alive[1]);
    close(alive[0]);
    for (const pid_t other : others)
        waitpid(other, nullptr, 0);
}

TEST(Capabilities, HaveNames) {
    EXPECT_EQ(names_of(0), "none");
    EXPECT_EQ(names_of(capability(CAP_SYS_PTRACE) | capability(CAP_BPF)), "CAP_SYS_PTRACE, CAP_BPF");
}

} // namespace
