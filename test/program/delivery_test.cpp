// SPDX-License-Identifier: MIT
// Outputs that a file configures.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <thread>

#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

struct Delivery : Run {
    std::string configure(const std::string& text) const {
        std::ofstream(folder.path() + "/outputs.conf") << text;
        return folder.path() + "/outputs.conf";
    }
    /// The part of the summary that is about the output with this name.
    static json output(const json& summary, const std::string& name) {
        for (const json& output : summary["outputs"])
            if (output["name"] == name)
                return output;
        ADD_FAILURE() << name << " is not in " << summary;
        return {};
    }
};

TEST_F(Delivery, EachOutputHasItsOwnFormatAndFilter) {
    std::ofstream(rules) << "getppid comm = " << caller << " key mine\ngetppid key others\n";
    RunningProgram program(arguments(
        {"--output-config",
         configure("[output.all]\nkind = file\npath = " + log +
                   "\n[output.mine]\nkind = file\nformat = text\nkeys = mine\npath = " + log + ".txt\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 30);
    call_getppid("another", 20);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.out(), "") << "the screen is not used";
    const json summary = program.summaries().back();
    expect_balance(summary);
    size_t mine = 0;
    auto events = parsed(read_file(log));
    EXPECT_EQ(events.back()["event"]["action"], "checkpoint");
    EXPECT_EQ(events.back()["linux"]["telemetry"]["output"],
              json({{"name", "all"}, {"lines", events.size() - 1}, {"lost", 0}, {"last", true}}));
    events.erase(events.end() - 1);
    for (const json& event : events)
        mine += event["tags"] == json::array({"mine"});
    EXPECT_EQ(mine, 30u);
    EXPECT_EQ(events.size(), summary["emitted"]);
    EXPECT_EQ(output(summary, "file all")["written"], summary["emitted"]);
    const auto lines = lines_of(read_file(log + ".txt"));
    EXPECT_EQ(lines.size(), 30u);
    for (const std::string& line : lines)
        EXPECT_THAT(line, HasSubstr("key=\"mine\""));
    EXPECT_EQ(output(summary, "file mine")["offered"], 30);
    EXPECT_EQ(output(summary, "file mine")["written"], 30);
    EXPECT_EQ(output(summary, "file mine")["waiting"], 0);
}

TEST_F(Delivery, FilesAreOpenedAnewOnHangup) {
    RunningProgram program(
        arguments({"--output-config", configure("[output.f]\nkind = file\npath = " + log + "\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 5);
    ASSERT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 5; }));
    ASSERT_EQ(rename(log.c_str(), (log + ".old").c_str()), 0);
    program.send(SIGHUP);
    ASSERT_TRUE(eventually([&] { return access(log.c_str(), F_OK) == 0; }));
    call_getppid(caller, 7);
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(read_file(log + ".old")).size(), 5u);
    EXPECT_EQ(lines_of(read_file(log)).size(), 8u) << "with the checkpoint at the end";
}

TEST_F(Delivery, AFullDiskHoldsUpNeitherTheReaderNorTheOthers) {
    ASSERT_EQ(mkdir((folder.path() + "/small").c_str(), 0700), 0);
    if (mount("none", (folder.path() + "/small").c_str(), "tmpfs", 0, "size=64k") != 0)
        GTEST_SKIP() << "no file systems can be mounted here";
    RunningProgram program(
        arguments({"--output-config",
                   configure("[output.f]\nkind = file\npath = " + folder.path() +
                             "/small/f\nqueue = 64K\n[output.g]\nkind = file\npath = " + log + "\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    for (int i = 0; i < 20; ++i) {
        call_getppid(caller, 200);
        usleep(20'000);
    }
    EXPECT_TRUE(eventually([&] { return read_file(log).find("\"output_f\"") != std::string::npos; }))
        << "the loss is reported to the other one";
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const json summary = program.summaries().back();
    expect_balance(summary);
    EXPECT_EQ(summary["emitted"], 4000);
    const json full = output(summary, "file f");
    EXPECT_EQ(full["written"].get<int>() + full["lost"].get<int>(), 4000) << full;
    EXPECT_GT(full["lost"].get<int>(), 100);
    uint64_t written = 0;
    for (const json& line : parsed(read_file(folder.path() + "/small/f")))
        written += line["event"]["kind"] == "event";
    EXPECT_EQ(full["written"], written);
    EXPECT_EQ(output(summary, "file g")["written"], 4000);
    EXPECT_THAT(program.err(), HasSubstr("file f: "));
    umount2((folder.path() + "/small").c_str(), MNT_DETACH);
}

/// A server that takes some bytes of each request now and then, and never answers.
class SlowServer {
  public:
    SlowServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof(address);
        if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            ADD_FAILURE() << "no server: " << strerror(errno);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~SlowServer() {
        is_ending_ = true;
        thread_.join();
        close(listener_);
    }
    SlowServer(const SlowServer&) = delete;
    SlowServer& operator=(const SlowServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
    size_t taken() const { return taken_; }

  private:
    void serve() {
        std::vector<int> clients;
        char some[4096];
        for (; !is_ending_; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
            if (const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                client >= 0)
                clients.push_back(client);
            for (const int client : clients)
                if (const ssize_t count = read(client, some, sizeof(some)); count > 0)
                    taken_ += static_cast<size_t>(count);
        }
        for (const int client : clients)
            close(client);
    }

    const int listener_;
    uint16_t port_ = 0;
    std::atomic<bool> is_ending_ = false;
    std::atomic<size_t> taken_ = 0;
    std::thread thread_;
};

/// What the process has resident, in bytes.
size_t resident(pid_t pid) {
    size_t size = 0, pages = 0;
    std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> pages;
    return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(Delivery, ASlowOutputAtFullSpeedStaysWithinTheLimitOfMemory) {
    constexpr size_t limit = 64, callers = 2;
    constexpr int calls = 150'000; // some 600 MB of lines, of which the queue takes 8
    const SlowServer server;
    RunningProgram program(
        arguments({"--max-memory", std::to_string(limit), "--output-config",
                   configure("[output.slow]\nkind = http\ndialect = ndjson\nurl = " + server.url() + "\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    std::atomic<size_t> running = callers;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < callers; ++i)
        threads.emplace_back([&running] {
            call_getppid(caller, calls);
            --running;
        });
    size_t most = 0;
    for (; running > 0; usleep(5'000))
        most = std::max(most, resident(program.pid()));
    for (std::thread& thread : threads)
        thread.join();
    ASSERT_TRUE(eventually([&] { return server.taken() > 0; })) << "it is tried";
    most = std::max(most, resident(program.pid()));
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 9) << "no event was written";
    const json summary = program.summaries().back();
    RecordProperty("resident_mib", std::to_string(most >> 20));
    EXPECT_LE(most, limit << 20);
    EXPECT_LE(summary["max_memory"]["most_resident"], limit << 20);
    expect_balance(summary);
    EXPECT_GE(summary["seen"], calls * callers);
    const json slow = output(summary, "http slow");
    EXPECT_EQ(slow["offered"], summary["emitted"]);
    EXPECT_EQ(slow["waiting"], 0);
    EXPECT_EQ(slow["written"].get<uint64_t>() + slow["lost"].get<uint64_t>(), slow["offered"]) << slow;
    EXPECT_GT(slow["lost"].get<uint64_t>(), 1000u) << "the queue was full";
}

TEST_F(Delivery, MistakesAreFoundBeforeTheStart) {
    RunningProgram program({"--check", "--output-config", configure("[output.f]\nkind = file\npaht = /a\n")});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(),
                HasSubstr("outputs.conf:3: an output of kind file has no option \"paht\"; did you mean "
                          "\"path\"?"));
    RunningProgram checked(
        arguments({"--check", "--output-config", configure("[output.f]\nkind = file\npath = /a\n")}));
    EXPECT_EQ(checked.wait(), 0);
    EXPECT_THAT(checked.out(), HasSubstr("rules, outputs and kernel offsets"));
    EXPECT_NE(access("/a", F_OK), 0) << "nothing is opened";
}

TEST_F(Delivery, FilesThatCannotBeOpenedEndTheStart) {
    RunningProgram program(
        arguments({"--output-config", configure("[output.f]\nkind = file\npath = /nowhere/a\n")}));
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("Cannot write to /nowhere/a: No such file or directory"));
}

} // namespace
