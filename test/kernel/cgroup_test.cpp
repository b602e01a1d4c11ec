// SPDX-License-Identifier: MIT
// The cgroups that come with the image of a process, against what /proc says of it.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/fixture.hpp"

namespace kernel_test {

namespace {

constexpr size_t levels_in_a_record = 12;

/// Where a hierarchy is mounted; of version 1 that of `pids`. Empty: nowhere.
std::string hierarchy(bool is_unified) {
    for (const std::string folder : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"})
        if (access((folder + "/cgroup.procs").c_str(), W_OK) == 0 &&
            (access((folder + "/cgroup.controllers").c_str(), F_OK) == 0) == is_unified)
            return folder;
    return "";
}

/// Folders one in the other, which are removed in the end.
class Folders {
  public:
    Folders(const std::string& root, size_t levels) : root_(root), path_(root) {
        for (size_t level = 0; level < levels; level++)
            path_ += "/ebt_level_" + std::to_string(level);
        std::error_code error;
        std::filesystem::create_directories(path_, error);
    }
    ~Folders() {
        for (; path_.size() > root_.size(); path_.erase(path_.rfind('/')))
            rmdir(path_.c_str());
    }
    Folders(const Folders&) = delete;
    Folders& operator=(const Folders&) = delete;

    std::string processes() const { return path_ + "/cgroup.procs"; }

  private:
    std::string root_, path_;
};

/// The last names of a path, as a record that was cut has them.
std::string innermost(std::string_view path, size_t levels) {
    size_t at = path.size();
    for (size_t level = 0; level < levels; level++)
        at = path.rfind('/', at - 1);
    return std::string(path.substr(at + 1));
}

class CgroupTest : public testing::Test {
  public:
    CgroupTest(ebpf_loader::Tier tier, bool is_unified, size_t levels)
        : options_(engine_options(tier)), is_unified_(is_unified), levels_(levels) {}

  private:
    void TestBody() override {
        const std::string root = hierarchy(is_unified_);
        if (root.empty())
            GTEST_SKIP() << "no such hierarchy is mounted";
        if (!is_whole_proc())
            GTEST_SKIP() << "/proc shows the paths of a cgroup namespace";
        const Folders folders(root, levels_);
        const auto rules = telemetry::Rules::parse("getppid\n", "rules of the test");
        ebpf_loader::Engine engine(rules.compile(), options_);
        if (!engine.offsets().get(*ebpf_loader::Offsets::find("css_set.subsys")))
            GTEST_SKIP() << "this kernel does not say where its cgroups are";
        Collector collector(engine);
        engine.start();
        const auto [pid, expected] = call_within(folders);
        collector.finish();
        const auto events = collector.take_events();
        const auto event = std::ranges::find(events, static_cast<uint32_t>(pid),
                                             [](const OwnedEvent& each) { return each->pid; });
        ASSERT_NE(event, events.end());
        ASSERT_FALSE(expected.empty()) << "the process could not enter " << folders.processes();
        const telemetry::Text& path = is_unified_ ? (*event)->cgroup : (*event)->controller_cgroup;
        const bool is_cut = std::ranges::count(expected, '/') > static_cast<ptrdiff_t>(levels_in_a_record);
        EXPECT_EQ(path.bytes, is_cut ? innermost(expected, levels_in_a_record) : expected);
        EXPECT_EQ(path.status, is_cut ? telemetry::Status::truncated : telemetry::Status::ok);
        EXPECT_EQ(path.length_is_minimum, is_cut);
    }

    /// A process that goes there and makes one call. Its path as /proc has it; empty: it is not there.
    std::pair<pid_t, std::string> call_within(const Folders& folders) const {
        int ends[2];
        if (pipe(ends) != 0)
            return {-1, ""};
        const pid_t child = fork();
        if (child == 0) {
            const int fd = open(folders.processes().c_str(), O_WRONLY);
            const bool is_there = fd >= 0 && write(fd, "0", 1) == 1;
            raw_syscall(SYS_getppid);
            const std::string path = is_there ? own_path() : "";
            _exit(write(ends[1], path.data(), path.size()) < 0);
        }
        close(ends[1]);
        char path[8192];
        const ssize_t size = read(ends[0], path, sizeof path);
        close(ends[0]);
        waitpid(child, nullptr, 0);
        return {child, std::string(path, static_cast<size_t>(std::max<ssize_t>(size, 0)))};
    }

    static bool is_whole_proc() {
        constexpr ino_t first_namespace = 0xeffffffb;
        struct stat status {};
        return stat("/proc/self/ns/cgroup", &status) != 0 || status.st_ino == first_namespace;
    }

    std::string own_path() const {
        std::ifstream file("/proc/self/cgroup");
        for (std::string line; std::getline(file, line);)
            if (line.find(is_unified_ ? "0::" : ":pids:") != line.npos)
                return line.substr(line.find('/'));
        return "";
    }

    ebpf_loader::EngineOptions options_;
    bool is_unified_;
    size_t levels_;
};

} // namespace

void register_cgroup_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Cgroup." + std::string(tier_name(tier));
    for (const size_t levels : {0, 1, 12, 13, 60}) {
        add_test<CgroupTest>(suite, "Unified" + std::to_string(levels), tier, true, levels);
        if (levels) // at the root there is none
            add_test<CgroupTest>(suite, "Controller" + std::to_string(levels), tier, false, levels);
    }
}

} // namespace kernel_test
