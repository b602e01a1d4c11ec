// SPDX-License-Identifier: MIT
// What another thread or process could have changed during a call, also if it has ended by the end of the
// call.
#include <csignal>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test/kernel/witness/support.hpp"

namespace kernel_test {

namespace {

constexpr uint8_t everything = EBT_SHARED_FILES | EBT_SHARED_FS | EBT_SHARED_MEMORY;
constexpr int sharer_ms = 20, call_ms = 120;

/// Calls of the child under test, which differ in their time-out.
void wait_ms(int time) {
    timespec limit{0, time * 1'000'000};
    syscall(SYS_ppoll, nullptr, 0, &limit, nullptr, 0);
}

int stay_a_while(void*) {
    const timespec time{0, sharer_ms * 1'000'000};
    syscall(SYS_nanosleep, &time, nullptr);
    return 0;
}

int do_nothing(void*) {
    return 0;
}

/// Makes one that shares what the flags of clone(2) say; returns its number.
pid_t share(int flags, int (*work)(void*) = stay_a_while) {
    static char stacks[8][65536];
    static int used;
    char* const stack = stacks[used++ % 8];
    return clone(work, stack + sizeof stacks[0], flags, nullptr);
}

constexpr int thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

class SharingTest : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  protected:
    /// What each call of ppoll says is shared, of a child that does this.
    std::vector<int> shared_in(const std::function<void()>& body) {
        std::vector<int> shared;
        for (const OwnedEvent& event : run("ppoll", body))
            shared.push_back(event->shared);
        return shared;
    }

    /// Does this kernel skip runs, or is it not known where it counts?
    bool is_unclear() const { return !counts_sharers_ || can_miss_runs(tier_); }
};

/// Whoever shared something until the middle of the call, or shares it at its end, is noted; the calls before
/// and after are nobody else's.
class EndedSharer : public SharingTest {
  public:
    using SharingTest::SharingTest;

  private:
    void expect(const char* what, int flags, int noted) {
        SCOPED_TRACE(what);
        const auto shared = shared_in([flags] {
            wait_ms(0);
            const pid_t sharer = share(flags);
            wait_ms(call_ms);
            wait_ms(0);
            if (!(flags & CLONE_THREAD))
                waitpid(sharer, nullptr, 0);
            wait_ms(0);
        });
        if (!is_unclear()) {
            EXPECT_EQ(shared, (std::vector<int>{0, noted, 0, 0}));
        }
    }

    void TestBody() override {
        expect("a thread", thread_flags, everything);
        expect("a process with the same descriptors", CLONE_FILES | SIGCHLD, EBT_SHARED_FILES);
        expect("a process with the same directory", CLONE_FS | SIGCHLD, EBT_SHARED_FS);
        expect("a process with the same memory", CLONE_VM | SIGCHLD, EBT_SHARED_MEMORY);
        expect("a process with the same of all", CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, everything);
        expect("a process of its own", SIGCHLD, 0);
    }
};

/// What a sharer leaves behind is its process's, not its number's.
class LastingSharer : public SharingTest {
  public:
    using SharingTest::SharingTest;

  private:
    void TestBody() override {
        const auto shared = shared_in([] {
            const pid_t sharer = share(CLONE_FILES | SIGCHLD);
            wait_ms(0);
            wait_ms(0);
            waitpid(sharer, nullptr, 0);
            wait_ms(0); // may have begun before its end, as far as is known
            wait_ms(0);
        });
        if (!is_unclear()) {
            EXPECT_EQ(shared, (std::vector<int>{EBT_SHARED_FILES, EBT_SHARED_FILES, EBT_SHARED_FILES, 0}));
        }
    }
};

/// Programs of one thread that start others have their calls for themselves.
class SingleThread : public SharingTest {
  public:
    using SharingTest::SharingTest;

  private:
    void TestBody() override {
        const auto shared = shared_in([] {
            char* const words[] = {const_cast<char*>("true"), nullptr};
            char* const none[] = {nullptr};
            for (int i = 0; i < 5; i++) {
                pid_t child = fork();
                if (child == 0)
                    _exit(0);
                waitpid(child, nullptr, 0);
                wait_ms(0);
                if (posix_spawn(&child, "/no/such/program", nullptr, nullptr, words, none) == 0)
                    waitpid(child, nullptr, 0);
                wait_ms(0);
                waitpid(share(CLONE_VM | CLONE_VFORK | SIGCHLD, do_nothing), nullptr, 0);
                wait_ms(0);
            }
        });
        if (!is_unclear()) {
            EXPECT_EQ(shared, std::vector<int>(15, 0));
        }
    }
};

} // namespace

void register_sharing_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Sharing." + std::string(tier_name(tier));
    add_test<EndedSharer>(suite, "EndedSharer", tier);
    add_test<LastingSharer>(suite, "LastingSharer", tier);
    add_test<SingleThread>(suite, "SingleThread", tier);
}

} // namespace kernel_test
