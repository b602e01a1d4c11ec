// SPDX-License-Identifier: MIT
// --user-stack-trace against a process that makes stacks slow to look up, or leads to files that it may not
// have.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/inotify.h>
#include <sys/resource.h>

#include <gmock/gmock.h>

#include <ebpf_loader/unique_fd.hpp>

#include "test/imds/metadata_network.hpp"
#include "test/program/running_program.hpp"
#include "test/unit/stack/made_elf.hpp"

using nlohmann::json;
using testing::HasSubstr;

namespace {

using Clock = std::chrono::steady_clock;

class HostileStack : public testing::Test {
  protected:
    void make(const std::string& bytes, off_t hole) {
        std::ofstream(file_, std::ios::binary) << bytes;
        ASSERT_TRUE(!hole || truncate(file_.c_str(), hole) == 0);
    }
    size_t peak_kib() const {
        const std::string status = read_file("/proc/" + std::to_string(tracker_.pid()) + "/status");
        return strtoul(status.c_str() + status.find("VmHWM:") + 6, nullptr, 10);
    }
    std::vector<json> events() {
        std::vector<json> all;
        for (const std::string& line : lines_of(tracker_.out()))
            if (json event = json::parse(line); event["linux"]["imds"]["netns"] == network_.inode())
                all.push_back(std::move(event));
        return all;
    }
    /// 40 connections: the memory stays, and the run ends as if nothing were.
    void expect_bounded() {
        ASSERT_TRUE(tracker_.reports()) << tracker_.err();
        const size_t before = peak_kib();
        network_.run({STACK_FORGER, file_, "40"});
        EXPECT_TRUE(eventually([this] { return events().size() >= 40; }));
        EXPECT_LT(peak_kib(), before + 16 * 1024);
        const auto asked = Clock::now();
        tracker_.send(SIGTERM);
        EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
        EXPECT_LT(Clock::now() - asked, std::chrono::seconds(1));
        const std::vector<json> all = events();
        ASSERT_EQ(all.size(), 40u);
        const json& imds = all.front()["linux"]["imds"];
        EXPECT_GT(imds["user_stack"].size(), 50u);
        EXPECT_EQ(imds["user_stack"][5].value("too_costly", false), true) << imds["user_stack"][5];
        EXPECT_THAT(tracker_.err(), HasSubstr("\"stacks_too_costly\":40"));
    }

    /// The helper, which came from the tracker's keeper.
    pid_t helper(const std::string& name) const { return child_of(child_of(tracker_.pid(), name), name); }
    static pid_t child_of(pid_t parent, const std::string& name) {
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const std::string status = read_file(entry.path().string() + "/status");
            if (status.starts_with("Name:\t" + name + "\n") &&
                status.find("\nPPid:\t" + std::to_string(parent) + "\n") != status.npos)
                return std::stoi(entry.path().filename().string());
        }
        return -1;
    }
    std::string end_of_stack_of_one_run() {
        const size_t before = events().size();
        network_.run({STACK_FORGER, file_, "1"});
        EXPECT_TRUE(eventually([&] { return events().size() > before; }));
        return events().back()["linux"]["imds"].value("user_stack_end", "");
    }

    const TemporaryFolder folder_;
    const std::string file_ = folder_.path() + "/file";
    MetadataNetwork network_;
    const std::string metrics_ = folder_.path() + "/metrics";
    RunningProgram tracker_{
        {"-c", usable_config(), "-f", "json", "--user-stack-trace", "--metrics-file", metrics_}};
};

TEST_F(HostileStack, ManyCommonEntries) {
    make(stack_test::elf_of_many_common_entries(20'000), 0);
    expect_bounded();
}

TEST_F(HostileStack, SparseSymbols) {
    make(stack_test::elf_of_sparse_symbols(64u << 20), 130 << 20);
    expect_bounded();
}

TEST_F(HostileStack, SymbolsAboutEverything) {
    make(stack_test::elf_of_symbols(100'000, {"a", "b", "c"}), 0);
    expect_bounded();
}

/// The stack of that moment is lost and counted, the next one is there.
TEST_F(HostileStack, HelperThatIsKilled) {
    make(stack_test::elf_of_many_common_entries(10), 0);
    ASSERT_TRUE(tracker_.reports()) << tracker_.err();
    const std::string whole = end_of_stack_of_one_run();
    EXPECT_NE(whole, "helper_failed");
    const pid_t first = helper("ebt-helper");
    ASSERT_GT(first, 1);
    EXPECT_THAT(read_file("/proc/" + std::to_string(first) + "/status"),
                HasSubstr("CapEff:\t0000000000000000\n"));
    kill(first, SIGKILL);
    EXPECT_EQ(end_of_stack_of_one_run(), "helper_failed");
    EXPECT_EQ(end_of_stack_of_one_run(), whole);
    EXPECT_THAT(tracker_.err(), HasSubstr("(signal 9)"));
    const pid_t next = helper("ebt-helper");
    ASSERT_GT(next, 1);
    tracker_.send(SIGTERM);
    EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
    EXPECT_THAT(tracker_.err(), HasSubstr("\"stack_helper_failures\":1"));
    EXPECT_TRUE(eventually([&] { return kill(next, 0) != 0; })) << "it has stayed behind";
}

/// What it should have read is reported as a connection, and counted; the next one is read.
TEST_F(HostileStack, HelperForHttpThatIsKilled) {
    ASSERT_TRUE(tracker_.reports()) << tracker_.err();
    const auto ask = [&] {
        const size_t before = events().size();
        network_.run({"curl", "-s", "http://169.254.169.254/latest/meta-data/instance-id"});
        EXPECT_TRUE(eventually([&] { return events().size() > before; }));
        return events().back();
    };
    EXPECT_EQ(ask()["event"]["action"], "imds_request");
    const pid_t first = helper("ebt-http");
    ASSERT_GT(first, 1);
    EXPECT_THAT(read_file("/proc/" + std::to_string(first) + "/status"),
                HasSubstr("CapEff:\t0000000000000000\n"));
    kill(first, SIGKILL);
    ask();
    EXPECT_TRUE(eventually([&] {
        return std::ranges::any_of(events(), [](const json& event) {
            return event["linux"]["imds"].value("connection", json())["content"] == "helper_failed" &&
                   event["process"]["name"] == "curl";
        });
    }));
    EXPECT_EQ(ask()["event"]["action"], "imds_request");
    tracker_.send(SIGTERM);
    EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
    EXPECT_THAT(tracker_.err(), HasSubstr("the helper for HTTP failed: it ended"));
    EXPECT_THAT(tracker_.err(), HasSubstr("\"http_helper_failures\":1"));
    const std::string failures = "\nebpf_telemetry_helper_failures_total{program=\"imds-tracker\",helper=\"";
    EXPECT_THAT(read_file(metrics_), HasSubstr(failures + "http\"} 1\n"));
    EXPECT_THAT(read_file(metrics_), HasSubstr(failures + "stack\"} 0\n"));
    EXPECT_THAT(tracker_.err(), HasSubstr("\"imbalance\":0"));
}

/// What has the same name where the tracker is stays closed, also when the mapping has changed meanwhile.
TEST_F(HostileStack, NamesOfTheHost) {
    make("not the process's", 0);
    const TemporaryFolder other;
    const std::string original = other.path() + "/file";
    std::ofstream(original, std::ios::binary) << stack_test::elf_of_sparse_symbols(1u << 20);
    const ebpf_loader::UniqueFd watch(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ASSERT_GE(inotify_add_watch(watch.get(), file_.c_str(), IN_OPEN), 0);
    ASSERT_TRUE(tracker_.reports()) << tracker_.err();
    network_.run({"unshare", "--mount", "sh", "-c",
                  "mount -t tmpfs none \"$1\" && cp \"$2\" \"$1/file\" && exec \"$3\" \"$1/file\" 300 toggle",
                  "sh", folder_.path(), original, STACK_FORGER});
    tracker_.send(SIGTERM);
    EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
    EXPECT_EQ(events().size(), 300u);
    char opened[256];
    EXPECT_EQ(read(watch.get(), opened, sizeof opened), -1) << "it was opened";
}

} // namespace
