// SPDX-License-Identifier: MIT
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sys/stat.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;

namespace {

std::string sha256sum(const std::string& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(("sha256sum " + path).c_str(), "r"), pclose);
    char digits[65] = "";
    return output && fread(digits, 1, 64, output.get()) == 64 ? digits : "";
}

/// What HashRun executes waits here, before any test: a test of its own would be listed as disabled.
[[maybe_unused]] const bool waited = [] {
    const bool waits = getenv("EBT_ONLY_WAITS");
    if (waits)
        pause();
    return waits;
}();

struct HashRun : Run {
    HashRun() {
        std::ofstream(rules) << "execve\nprocess_exit\n";
        std::filesystem::copy("/proc/self/exe", program); // of some size, and static where these tests are
    }
    pid_t start() const {
        const pid_t child = fork();
        if (child == 0) {
            const char* const environment[] = {"EBT_ONLY_WAITS=1", nullptr};
            execle(program.c_str(), "program", nullptr, environment);
            _exit(1);
        }
        return child;
    }
    static void stop(pid_t child) {
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }
    /// A process of it that lives so long; its id.
    pid_t execute(int milliseconds) const {
        const pid_t child = start();
        usleep(static_cast<useconds_t>(milliseconds) * 1000);
        stop(child);
        return child;
    }
    static std::string hash_of(const json& event) {
        return event.value(json::json_pointer("/process/hash/sha256"), "");
    }
    static std::vector<json> of(const std::vector<json>& events, pid_t pid, const char* action) {
        std::vector<json> found;
        for (const json& event : events)
            if (event.contains("process") && event["process"]["pid"] == pid &&
                event["event"]["action"] == action)
                found.push_back(event);
        return found;
    }

    std::string program = folder.path() + "/program";
};

TEST_F(HashRun, IsThereOnceItIsKnown) {
    usleep(200'000); // the file is no new one then
    RunningProgram running(arguments({"--hash"}));
    ASSERT_TRUE(running.reports()) << running.err();
    if (running.err().find("process.hash, with --hash") != std::string::npos)
        GTEST_SKIP() << "this kernel does not say which content a file has";
    const pid_t first = start();
    for (int tries = 0; tries < 300 && running.out().find("\"sha256\"") == std::string::npos; ++tries)
        execute(100); // an event after the other, until one has it: emulated processors take long
    const pid_t second = execute(50);
    stop(first);
    running.send(SIGINT);
    EXPECT_EQ(running.wait(), 0) << running.err();
    const auto events = parsed(running.out());
    const std::string digest = sha256sum(program);
    ASSERT_EQ(digest.size(), 64u);
    const auto exec = of(events, first, "exec"), end = of(events, first, "end"),
               again = of(events, second, "exec");
    ASSERT_TRUE(exec.size() == 1 && end.size() == 1 && again.size() == 1) << running.out();
    EXPECT_FALSE(exec[0]["process"].contains("hash")) << "no event waits for it";
    EXPECT_EQ(hash_of(end[0]), digest) << end[0];
    EXPECT_EQ(hash_of(again[0]), digest) << again[0];
}

TEST_F(HashRun, IsAbsentWhereNobodyAsked) {
    RunningProgram running(arguments({}));
    ASSERT_TRUE(running.reports()) << running.err();
    execute(20);
    execute(20);
    running.send(SIGINT);
    EXPECT_EQ(running.wait(), 0) << running.err();
    EXPECT_EQ(running.out().find("\"hash\""), std::string::npos);
}

} // namespace
