// SPDX-License-Identifier: MIT
// --fold on the real kernel: connections that a process makes or accepts over and over are a few events,
// which say how many there were, and nothing is missing from the balance.
#include <arpa/inet.h>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "test/program/run_fixture.hpp"

namespace {

using namespace program_test;

/// A listener on loopback, at any port.
struct Listener {
    Listener() {
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(fd, 16), 0);
        socklen_t size = sizeof address;
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    }
    ~Listener() { close(fd); }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
};

/// A process connects so often, then accepts all of them, and ends.
void connect_and_accept(const Listener& listener, int times) {
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, caller.c_str());
        for (int i = 0; i < times; ++i) {
            const int to = socket(AF_INET, SOCK_STREAM, 0);
            if (connect(to, reinterpret_cast<const sockaddr*>(&listener.address), sizeof listener.address))
                _exit(1);
            close(accept(listener.fd, nullptr, nullptr));
            close(to);
        }
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

struct Folding : Run {
    Folding() { std::ofstream(rules) << "connect comm = " << caller << "\naccept comm = " << caller << "\n"; }
    /// Events of the call, as "how many it stands for".
    static std::vector<uint64_t> counts(const std::vector<json>& events, const char* call) {
        std::vector<uint64_t> counts;
        for (const json& event : events)
            if (event["linux"]["syscall"]["name"] == call)
                counts.push_back(event["linux"].value("folded", uint64_t{0}));
        return counts;
    }
    const Listener listener;
};

TEST_F(Folding, OfManyConnectionsTheFirstAndTheLastAreEvents) {
    constexpr int times = 50;
    RunningProgram program(arguments({"--fold", "60", "-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    connect_and_accept(listener, times);
    connect_and_accept(listener, 1);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const std::vector<json> events = parsed(read_file(log));
    for (const char* call : {"connect", "accept"})
        EXPECT_THAT(counts(events, call), testing::ElementsAre(0, times - 1, 0))
            << "when the process has ended";
    for (const json& event : events) {
        EXPECT_EQ(event["process"]["thread"]["name"], caller) << "known also when it has ended: " << event;
        EXPECT_EQ(event["event"].contains("start"), event["linux"].contains("folded"));
        if (event["event"].contains("start")) {
            EXPECT_EQ(event["event"]["end"], event["@timestamp"]);
            EXPECT_LT(event["event"]["start"], event["event"]["end"]);
        }
    }
    const json summary = program.summaries().back();
    EXPECT_EQ(summary["emitted"], 6);
    EXPECT_EQ(summary["folded"], 2 * (times - 2));
    expect_balance(summary);
}

TEST_F(Folding, AnIntervalThatEndsReportsWhatItHas) {
    RunningProgram program(arguments({"--fold", "0.2", "-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, caller.c_str());
        for (int i = 0; i < 3; ++i) { // each is refused: nobody listens on port 0
            const int to = socket(AF_INET, SOCK_STREAM, 0);
            sockaddr_in nobody = listener.address;
            nobody.sin_port = 0;
            if (connect(to, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody) == 0)
                _exit(1);
            close(to);
        }
        pause();
        _exit(0);
    }
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (lines_of(read_file(log)).size() < 2 && std::chrono::steady_clock::now() < patience)
        usleep(10'000);
    EXPECT_THAT(counts(parsed(read_file(log)), "connect"), testing::ElementsAre(0, 2)) << "while it lives";
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    expect_balance(program.summaries().back());
}

/// The rules judge each connection when it comes; the parent may be another program by the time that the last
/// event of all is due.
TEST_F(Folding, WhatWasWantedWhenItCameIsReported) {
    const std::string own = std::filesystem::read_symlink("/proc/self/exe");
    std::ofstream(rules) << "connect comm = " << caller << " && parent.exe = " << own << "\n";
    RunningProgram program(arguments({"--fold", "60", "-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    const pid_t parent = fork();
    if (parent == 0) {
        int connected[2], executed[2];
        if (pipe2(connected, O_CLOEXEC) || pipe2(executed, O_CLOEXEC))
            _exit(1);
        char byte = 0;
        if (fork() == 0) {
            prctl(PR_SET_NAME, caller.c_str());
            close(executed[1]);
            for (int i = 0; i < 3; ++i) {
                const int to = socket(AF_INET, SOCK_STREAM, 0);
                (void)!connect(to, reinterpret_cast<const sockaddr*>(&listener.address),
                               sizeof listener.address);
                close(to);
            }
            (void)!write(connected[1], &byte, 1);
            (void)!read(executed[0], &byte, 1); // until the other end is closed
            _exit(0);
        }
        (void)!read(connected[0], &byte, 1);
        execl("/bin/sleep", "sleep", "0.5", nullptr);
        _exit(1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(parent, &status, 0), parent);
    EXPECT_EQ(status, 0);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_THAT(counts(parsed(read_file(log)), "connect"), testing::ElementsAre(0, 2));
    expect_balance(program.summaries().back());
}

TEST_F(Folding, WithoutTheOptionEachIsAnEvent) {
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    connect_and_accept(listener, 10);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(counts(parsed(read_file(log)), "connect").size(), 10u);
    EXPECT_EQ(program.summaries().back()["folded"], 0);
}

} // namespace
