// SPDX-License-Identifier: MIT
// A helper is ended and replaced whatever it does, and can do next to nothing.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/capability.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/helper/helper.hpp"
#include "telemetry/rights/capabilities.hpp"
#include "test/unit/support/emulated.hpp"
#include "test/unit/support/helper_processes.hpp"

using namespace telemetry;
using testing::HasSubstr;

namespace {

#ifdef EBT_SANITIZED // the sanitizers make system calls of their own, and map much
#define SKIP_SANITIZED() GTEST_SKIP() << "sanitizers"
#else
#define SKIP_SANITIZED()
#endif

#ifdef __aarch64__
constexpr int signal_of_a_trap = SIGTRAP; ///< of the instruction that __builtin_trap() is
#else
constexpr int signal_of_a_trap = SIGILL;
#endif

using Outcome = Channel::Outcome;
const Helper::Limits limits = {std::chrono::seconds(20), 32u << 20};
const Helper::Limits hasty = {std::chrono::seconds(1), 32u << 20};

/// Does what a word says, and answers with what came of it.
std::string act(const std::string& word, int file) {
    const auto result = [](long value) { return value < 0 ? std::string(strerror(errno)) : "done"; };
    if (word == "hang")
        for (std::atomic<int> turns;;)
            ++turns;
    if (word == "crash")
        __builtin_trap();
    if (word == "grow")
        for (std::vector<std::string> all;;)
            all.emplace_back(1 << 20, 'x');
    if (word == "open")
        return result(open("/etc/passwd", O_RDONLY));
    if (word == "execute")
        return result(execl("/bin/true", "true", nullptr));
    if (word == "fork")
        return result(fork());
    if (word == "kill")
        return result(kill(getppid(), SIGKILL));
    if (word == "acct")
        return result(syscall(SYS_acct, nullptr));
    if (word == "map")
        return result(
            mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                                         : 0);
    if (word == "read") {
        char text[16] = {};
        return result(pread(file, text, sizeof(text) - 1, 0)) + " " + text;
    }
    return word;
}

void serve(Channel& channel) {
    Packet packet;
    while (channel.receive(packet, Channel::Clock::time_point::max()) == Outcome::packet)
        channel.send(act(packet.bytes, packet.file.get()));
}

struct Answer {
    Outcome outcome;
    std::string bytes;
};

Answer ask(Helper& helper, const std::string& word, int file = -1) {
    Packet packet;
    if (!helper.channel() || !helper.channel()->send(word, file))
        return {Outcome::ended, ""};
    const Outcome outcome = helper.channel()->receive(packet, helper.deadline());
    return {outcome, packet.bytes};
}

void expect_alive(Helper& helper) {
    const Answer answer = ask(helper, "hello");
    EXPECT_EQ(answer.outcome, Outcome::packet);
    EXPECT_EQ(answer.bytes, "hello");
}

TEST(Helper, ThatHangsIsReplaced) {
    Helper helper(serve, hasty);
    expect_alive(helper);
    const auto begin = Channel::Clock::now();
    EXPECT_EQ(ask(helper, "hang").outcome, Outcome::late);
    EXPECT_LT(Channel::Clock::now() - begin, hasty.answer * 10);
    EXPECT_EQ(helper.replace(), "signal 9");
    expect_alive(helper);
}

TEST(Helper, ThatCrashesIsReplaced) {
    Helper helper(serve, limits);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(helper, "crash").outcome, Outcome::ended);
        EXPECT_EQ(helper.replace(), "signal " + std::to_string(signal_of_a_trap));
        expect_alive(helper);
    }
}

TEST(Helper, ThatGrowsIsReplaced) {
    SKIP_WITHOUT_MEMORY_LIMIT();
    SKIP_SANITIZED();
    Helper helper(serve, limits);
    EXPECT_EQ(ask(helper, "grow").outcome, Outcome::ended);
    EXPECT_EQ(helper.replace(), "exit status 4");
    expect_alive(helper);
}

/// The keeper may be late on a busy machine, here since it is stopped, and never comes back once it has
/// ended.
TEST(Helper, WhoseKeeperIsLateOrEnds) {
    Helper helper(serve, hasty);
    const pid_t keeper = child_of(getpid());
    ASSERT_GT(keeper, 1);
    kill(keeper, SIGSTOP);
    EXPECT_EQ(helper.replace(), "the next one has not started yet");
    EXPECT_FALSE(helper.channel());
    EXPECT_FALSE(helper.is_gone());
    kill(keeper, SIGCONT);
    for (int waited = 0; !helper.channel() && waited < 500; ++waited)
        usleep(10'000);
    expect_alive(helper);
    kill(keeper, SIGKILL);
    EXPECT_EQ(helper.replace(), "the process that starts helpers has ended");
    EXPECT_TRUE(helper.is_gone());
    EXPECT_FALSE(helper.channel());
}

TEST(Helper, WhosePacketsAreTooLong) {
    Helper helper(
        [](Channel& channel) {
            Packet packet;
            channel.receive(packet, Channel::Clock::time_point::max());
            channel.send(std::string(Channel::longest + 1, 'x'));
            channel.receive(packet, Channel::Clock::time_point::max());
        },
        limits);
    EXPECT_EQ(ask(helper, "x").outcome, Outcome::too_long);
}

TEST(Helper, ReadsWhatItIsGivenAndNothingElse) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    Helper helper(serve, limits);
    const int file = memfd_create("given", MFD_CLOEXEC);
    ASSERT_EQ(pwrite(file, "content", 7, 0), 7);
    EXPECT_EQ(ask(helper, "read", file).bytes, "done content");
    EXPECT_EQ(ask(helper, "read").bytes, "Bad file descriptor ");
    close(file);
    for (const char* word : {"acct", "map", "open"})
        EXPECT_EQ(ask(helper, word).bytes, "Operation not permitted") << word;
    for (const char* word : {"execute", "fork", "kill"}) {
        EXPECT_EQ(ask(helper, word).outcome, Outcome::ended) << word;
        EXPECT_EQ(helper.replace(), "signal 31") << word;
        expect_alive(helper);
    }
}

/// No file of this process stays open in it: here the other end of a pipe.
TEST(Helper, HasNoFiles) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    Helper helper(serve, limits);
    expect_alive(helper);
    close(ends[1]);
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), 0) << "somebody else holds it";
    close(ends[0]);
}

TEST(Helper, HasNoRights) {
    SKIP_SANITIZED();
    Helper helper(serve, limits);
    expect_alive(helper); // and so confined
    const pid_t keeper = child_of(getpid()), own = child_of(keeper);
    for (const pid_t pid : {keeper, own}) {
        const std::string status = status_without_rights(pid, "ebt-helper");
        if (permitted_capabilities() & capability(CAP_SETPCAP)) {
            EXPECT_THAT(status, HasSubstr("CapBnd:\t0000000000000000\n"));
        }
    }
    SKIP_WITHOUT_SECCOMP();
    for (const pid_t pid : {keeper, own})
        expect_filtered(pid);
}

/// They do not stay behind.
TEST(Helper, EndsWithItsOwner) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
        Helper helper(
            [](Channel& channel) {
                Packet packet;
                channel.receive(packet, Channel::Clock::time_point::max());
            },
            limits);
        const pid_t keeper = child_of(getpid());
        const bool is_told = write(ends[1], &keeper, sizeof(keeper)) == sizeof(keeper);
        kill(getpid(), is_told ? SIGKILL : SIGTERM);
    }
    pid_t keeper = -1;
    ASSERT_EQ(read(ends[0], &keeper, sizeof(keeper)), static_cast<ssize_t>(sizeof(keeper)));
    ASSERT_GT(keeper, 1);
    close(ends[0]);
    close(ends[1]);
    waitpid(child, nullptr, 0);
    int waited = 0; // it becomes a child of the first process, which waits for it
    for (; waited < 200 && kill(keeper, 0) == 0; ++waited)
        usleep(10'000);
    EXPECT_LT(waited, 200) << "the keeper is still there";
}

} // namespace
