// SPDX-License-Identifier: MIT
// Containers that are gone before anybody reads what their processes did.
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;

namespace {

const std::string container = std::string(60, 'e') + "b05e";

/// A cgroup for a container of the test's own, in a hierarchy, and cgroups one in the other below it.
class ContainerCgroup {
  public:
    ContainerCgroup(const std::string& hierarchy, int levels)
        : top_(hierarchy + "/docker-" + container + ".scope"), deepest_(top_) {
        for (int level = 0; level < levels; level++)
            deepest_ += "/deeper";
        std::error_code error;
        std::filesystem::create_directories(deepest_, error);
    }
    ~ContainerCgroup() {
        for (; deepest_.size() >= top_.size(); deepest_.erase(deepest_.rfind('/')))
            rmdir(deepest_.c_str());
    }
    ContainerCgroup(const ContainerCgroup&) = delete;
    ContainerCgroup& operator=(const ContainerCgroup&) = delete;

    bool is_there() const { return access(deepest().c_str(), W_OK) == 0; }
    /// The files that a process is written to.
    std::string top() const { return top_ + "/cgroup.procs"; }
    std::string deepest() const { return deepest_ + "/cgroup.procs"; }

  private:
    std::string top_, deepest_;
};

/// Where the machine has mounted it; of version 1 any that a container is in.
const char* hierarchy_of(bool is_unified) {
    for (const char* folder :
         {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/freezer"}) {
        const std::string path = folder;
        if (access((path + "/cgroup.procs").c_str(), W_OK) == 0 &&
            (access((path + "/cgroup.controllers").c_str(), F_OK) == 0) == is_unified)
            return folder;
    }
    return nullptr;
}

struct ContainerRun : Run {
    static constexpr int arrived = 3; ///< the script's

    ContainerRun() { std::ofstream(rules) << "execve\nopenat\nprocess_exit\n"; }

    /// A process that is in the cgroup when it becomes a shell with this script, and is killed once that has
    /// written to descriptor 3; its id, -1 if it could not be.
    static pid_t run_container(const std::string& cgroup, const std::string& script) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return -1;
        const pid_t child = fork();
        if (child == 0) {
            const int fd = open(cgroup.c_str(), O_WRONLY);
            if (fd >= 0 && write(fd, "0", 1) == 1 && dup3(ends[1], arrived, 0) == arrived)
                execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
            _exit(1);
        }
        close(ends[1]);
        pollfd there{.fd = ends[0], .events = POLLIN, .revents = 0};
        poll(&there, 1, 30'000);
        close(ends[0]);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        return WIFSIGNALED(status) ? child : -1;
    }

    /// The program reads nothing until the container is gone. Are its events, from its exec on, that
    /// container's?
    static void expect_container(RunningProgram& program, const std::string& cgroup,
                                 const std::string& script, int execs) {
        ASSERT_TRUE(program.reports()) << program.err();
        if (program.err().find("the container, of processes that end at once") != std::string::npos)
            GTEST_SKIP() << "this kernel does not say where its cgroups are";
        program.send(SIGSTOP);
        const pid_t pid = run_container(cgroup, script);
        ASSERT_GT(pid, 0) << "the container's process did not run";
        program.send(SIGCONT);
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0) << program.err();
        int executed = 0;
        json last;
        for (json event : parsed(program.out())) {
            if (event["process"]["pid"] != pid)
                continue;
            executed += event["event"]["action"] == "exec";
            if (executed == 0)
                continue; // the child of this test, which goes there
            EXPECT_EQ(event["container"]["id"], container) << event;
            EXPECT_EQ(event["container"]["runtime"], "docker") << event;
            last = event;
        }
        EXPECT_EQ(executed, execs) << program.out();
        EXPECT_EQ(last["event"]["action"], "end");
    }
};

constexpr const char* endless = "echo >&3; while :; do :; done";

/// By the version of the hierarchy, and levels below the container's own cgroup.
struct EveryContainer : ContainerRun, testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(EveryContainer, IsKnownWhenItIsGone) {
    const auto [version, levels] = GetParam();
    const char* const hierarchy = hierarchy_of(version == 2);
    if (!hierarchy)
        GTEST_SKIP() << "no cgroups of version " << version << " are mounted here";
    const ContainerCgroup cgroup(hierarchy, levels);
    if (!cgroup.is_there())
        GTEST_SKIP() << "no cgroup can be made in " << hierarchy;
    RunningProgram program(arguments({}));
    expect_container(program, cgroup.deepest(), endless, 1);
}

/// A record has twelve levels.
INSTANTIATE_TEST_SUITE_P(Cgroups, EveryContainer,
                         testing::Values(std::pair(2, 0), std::pair(1, 0), std::pair(2, 11),
                                         std::pair(1, 11)),
                         [](const auto& cgroup) {
                             return "v" + std::to_string(cgroup.param.first) + "_" +
                                    std::to_string(cgroup.param.second);
                         });

/// No process gets out of its container by going further down than a record has levels.
TEST_F(ContainerRun, IsNotLeftByGoingDeep) {
    const char* const hierarchy = hierarchy_of(true);
    if (!hierarchy)
        GTEST_SKIP() << "no cgroups of version 2 are mounted here";
    const ContainerCgroup cgroup(hierarchy, 40);
    if (!cgroup.is_there())
        GTEST_SKIP() << "no cgroup can be made in " << hierarchy;
    RunningProgram program(arguments({}));
    expect_container(program, cgroup.top(),
                     "echo 0 >" + cgroup.deepest() + "; exec /bin/sh -c '" + endless + "'", 2);
}

} // namespace
