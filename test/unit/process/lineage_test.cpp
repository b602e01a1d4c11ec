// SPDX-License-Identifier: MIT
// Who descends from whom, also from those that have ended.
#include "telemetry/process/lineage.hpp"

#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/imds/imds_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace imds_test;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

/// A process of a family that is made here; ids are start times too.
Event of(uint32_t pid, ebt_record_kind kind = EBT_SYSCALL) {
    Event event = samples::event(kind);
    event.pid = event.tid = pid;
    event.ppid = 0;
    event.start_time_ns = pid * 1'000'000'000ULL;
    event.time_ns = start_ns;
    event.comm = "comm";
    return event;
}

/// An exec whose image says the cgroup.
Event in_cgroup(uint32_t pid, uint32_t exec_id, std::string_view path) {
    Event event = of(pid, EBT_EXEC);
    event.exec_id = exec_id;
    event.carries_image = true;
    event.cgroup = samples::known<telemetry::Text>(path);
    return event;
}

Event fork_of(uint32_t parent, uint32_t child) {
    Event event = of(parent, EBT_FORK);
    event.child_pid = child;
    event.child_start_time_ns = child * 1'000'000'000ULL;
    event.child_status = telemetry::Status::ok;
    return event;
}

std::vector<uint32_t> ids(Lineage& lineage, const Event& event, size_t most = 10) {
    std::vector<uint32_t> ids;
    for (const auto& node : Lineage::ancestors(lineage.find(event), most))
        ids.push_back(node->key.pid);
    return ids;
}

class Proc {
  public:
    void add(uint32_t pid, uint32_t ppid, uint64_t ticks, const std::string& cgroup = "0::/\n",
             uint32_t flags = 0x400000) const {
        const std::string folder = folder_.path() + '/' + std::to_string(pid);
        std::filesystem::create_directory(folder);
        std::string stat = std::to_string(pid) + " (a) b)) S " + std::to_string(ppid);
        for (int field = 5; field < 22; ++field)
            stat += field == 9 ? ' ' + std::to_string(flags) : " 0";
        std::ofstream(folder + "/stat") << stat << ' ' << ticks << " 0 0\n";
        std::ofstream(folder + "/cgroup") << cgroup;
        std::ofstream(folder + "/cmdline") << "prog" << pid << '\0' << "-x" << '\0';
        std::ofstream(folder + "/status") << "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapInh:\t0\n"
                                          << "CapPrm:\t000001ff\nCapEff:\tff\nCapBnd:\t1ffff\nCapAmb:\t0\n";
    }
    const std::string& path() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
};

} // namespace

TEST(ImdsLineage, AncestorsThatHaveEndedAreTold) {
    Lineage lineage("/nonexistent");
    lineage.note(fork_of(1, 2));
    lineage.note(fork_of(2, 3));
    lineage.note(fork_of(3, 4));
    lineage.note(of(2, EBT_EXIT));
    lineage.note(of(3, EBT_EXIT));
    Event late = of(4);
    late.time_ns += 3600'000'000'000;
    late.ppid = 1; // as the kernel has it by now
    lineage.note(late);
    EXPECT_THAT(ids(lineage, late), ElementsAre(3, 2, 1));
    const auto line = Lineage::ancestors(lineage.find(late), 10);
    EXPECT_TRUE(line[0]->has_ended && line[1]->has_ended);
    EXPECT_FALSE(line[2]->has_ended);
    EXPECT_THAT(ids(lineage, late, 2), ElementsAre(3, 2));
}

TEST(ImdsLineage, AnIdThatIsUsedAgainIsAnotherProcess) {
    Lineage lineage("/nonexistent");
    lineage.note(fork_of(1, 2));
    lineage.note(fork_of(2, 3));
    Event again = of(2);
    again.start_time_ns += 5;
    again.comm = "other";
    lineage.note(again);
    EXPECT_THAT(ids(lineage, of(3)), ElementsAre(2, 1));
    EXPECT_EQ(Lineage::ancestors(lineage.find(of(3)), 1)[0]->comm, "comm");
    EXPECT_THAT(ids(lineage, again), IsEmpty());
}

TEST(ImdsLineage, ProgramsFollowExecs) {
    Lineage lineage("/nonexistent");
    const std::string argv = samples::string_list({"python3", "job.py"});
    Event exec = of(2, EBT_EXEC);
    exec.exec_id = 1;
    exec.image.exe.bytes = "/usr/bin/python3";
    exec.image.argv = samples::known<telemetry::StringList>(argv);
    lineage.note(fork_of(1, 2));
    EXPECT_EQ(lineage.find(of(2))->program->executable, "/usr/bin/cat"); // its parent's
    lineage.note(exec);
    Event fork = fork_of(2, 3);
    fork.exec_id = 1;
    fork.image = exec.image;
    lineage.note(fork);
    const auto parent = Lineage::ancestors(lineage.find(of(3)), 1)[0];
    EXPECT_EQ(parent->program->executable, "/usr/bin/python3");
    EXPECT_EQ(parent->program->argv, argv);
}

/// It is gone when its record is read.
TEST(ImdsLineage, AContainerIsKnownByTheExecsCgroup) {
    Lineage lineage("/nonexistent");
    const std::string container(64, 'c'), path = "/system.slice/docker-" + container + ".scope";
    lineage.note(fork_of(1, 2));
    Event exec = in_cgroup(2, 1, path);
    EXPECT_EQ(lineage.note(exec)->facts.container.id, container);
    exec.carries_image = false; // the call's own record, after that of the exec
    exec.cgroup = {};
    EXPECT_EQ(lineage.note(exec)->facts.cgroup, path);
    lineage.note(fork_of(2, 3));
    EXPECT_EQ(lineage.note(of(3, EBT_EXIT))->facts.container.id, container);
    EXPECT_EQ(lineage.note(in_cgroup(2, 2, "/"))->facts.cgroup, "/"); // it went out
    EXPECT_EQ(lineage.note(of(2, EBT_EXIT))->facts.container.id, "");
}

/// Also without an exec (CLONE_INTO_CGROUP).
TEST(ImdsLineage, AChildMayBeBornInACgroup) {
    Lineage lineage("/nonexistent");
    const std::string container(64, 'c');
    lineage.note(fork_of(1, 2));
    const std::string path = "/docker/" + container;
    Event call = in_cgroup(2, 0, path);
    call.kind = EBT_SYSCALL;
    EXPECT_EQ(lineage.note(call)->facts.container.id, container);
}

/// Which hierarchy says most, the kernel does not know.
TEST(ImdsLineage, AContainerInOneOfSeveralHierarchies) {
    Proc proc;
    const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    std::filesystem::create_directory(proc.path() + "/self");
    std::ofstream(proc.path() + "/self/cgroup") << "2:pids:/a\n0::/\n";
    proc.add(4, 1, 4 * ticks, "2:memory:/as/proc/says\n0::/unified\n");
    Lineage lineage(proc.path());
    const std::string id(64, 'c'), path = "/docker/" + id;
    Event exec = in_cgroup(2, 1, "/");
    exec.controller_cgroup = samples::known<telemetry::Text>(path);
    EXPECT_EQ(lineage.note(exec)->facts.container.id, id);
    exec = in_cgroup(3, 1, path);
    exec.controller_cgroup = samples::known<telemetry::Text>("/user.slice");
    EXPECT_EQ(lineage.note(exec)->facts.container.id, id);
    exec = in_cgroup(4, 1, "/unified");
    EXPECT_EQ(lineage.note(exec)->facts.cgroup, "/as/proc/says");
    exec = in_cgroup(5, 1, "/"); // gone
    exec.controller_cgroup = samples::known<telemetry::Text>("/user.slice");
    EXPECT_EQ(lineage.note(exec)->facts.cgroup, "/user.slice");
}

/// Of cgroups made in each other to no end the record has the innermost.
TEST(ImdsLineage, ACgroupTooDeepForTheRecord) {
    Proc proc;
    const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    const std::string id(64, 'c'), whole = "/docker/" + id + "/1/2/3";
    proc.add(2, 1, 2 * ticks, "0::" + whole + "\n");
    Lineage lineage(proc.path());
    Event exec = in_cgroup(2, 1, "2/3");
    exec.cgroup.status = telemetry::Status::truncated;
    EXPECT_EQ(lineage.note(exec)->facts.cgroup, whole);
    lineage.note(fork_of(2, 30)); // which is gone when its record comes, after an exec: what its parent had
    exec = in_cgroup(30, 2, "2/3");
    exec.cgroup.status = telemetry::Status::truncated;
    EXPECT_EQ(lineage.note(exec)->facts.container.id, id);
    lineage.note(fork_of(2, 32)); // as little does another hierarchy, where it is in no container
    exec = in_cgroup(32, 2, "2/3");
    exec.cgroup.status = telemetry::Status::truncated;
    exec.controller_cgroup = samples::known<telemetry::Text>("/user.slice");
    EXPECT_EQ(lineage.note(exec)->facts.container.id, id);
    const std::string within = id + "/1/2/3";
    exec = in_cgroup(31, 1, within);
    exec.cgroup.status = telemetry::Status::truncated;
    EXPECT_EQ(lineage.note(exec)->facts.container.id, id);
}

TEST(ImdsLineage, WhatRanBeforeComesFromProc) {
    Proc proc;
    const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    const std::string container(64, 'c');
    proc.add(1, 0, 1 * ticks);
    proc.add(10, 1, 10 * ticks, "12:pids:/docker/" + container + "\n0::/init.scope\n");
    proc.add(20, 10, 20 * ticks, "0::/docker/" + container + "\n");
    Lineage lineage(proc.path());
    lineage.remember_running();
    const auto node = lineage.find(of(20)); // started at 20 s, and some nanoseconds less than a tick
    EXPECT_THAT(ids(lineage, of(20)), ElementsAre(10, 1));
    EXPECT_EQ(node->facts.container.id, container);
    EXPECT_EQ(node->facts.container.runtime, "docker");
    EXPECT_EQ(node->facts.capabilities->effective, 0xffU);
    const auto parent = Lineage::ancestors(node, 1)[0];
    EXPECT_EQ(parent->comm, "a) b)");
    EXPECT_EQ(parent->program->argv, samples::string_list({"prog10", "-x"}));
    EXPECT_EQ(parent->facts.container.id, container);
    EXPECT_EQ(parent->ids.fsuid, 4U);
    EXPECT_EQ(parent->ids.sgid, 7U);
}

TEST(ImdsLineage, AChildThatIsGoneTooSoonHasItsParentsContainer) {
    Proc proc;
    const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    proc.add(20, 0, 20 * ticks, "0::/system.slice/docker-" + std::string(64, 'd') + ".scope\n");
    Lineage lineage(proc.path());
    lineage.remember_running();
    lineage.note(fork_of(20, 30));
    const auto child = lineage.find(of(30)); // nothing in /proc
    EXPECT_EQ(child->facts.container.id, std::string(64, 'd'));
    EXPECT_TRUE(child->facts.inherited);
}

/// What /proc has of it by then is the root of all cgroups, and no namespaces.
TEST(ImdsLineage, AChildThatIsAboutToGoHasItsParentsContainer) {
    Proc proc;
    const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    proc.add(20, 0, 20 * ticks, "0::/system.slice/docker-" + std::string(64, 'd') + ".scope\n");
    Lineage lineage(proc.path());
    lineage.remember_running();
    lineage.note(fork_of(20, 30));
    proc.add(30, 20, 30 * ticks, "0::/\n", 0x40010c);
    Event exec = of(30, EBT_EXEC);
    lineage.note(exec);
    const auto child = lineage.find(exec);
    EXPECT_EQ(child->facts.container.id, std::string(64, 'd'));
    EXPECT_EQ(child->facts.capabilities->effective, 0xffU);
    EXPECT_TRUE(child->facts.inherited);
    proc.add(30, 20, 30 * ticks, "0::/elsewhere\n");
    EXPECT_EQ(lineage.find(exec)->facts.cgroup, "/elsewhere");
    EXPECT_FALSE(lineage.find(exec)->facts.inherited);
}

TEST(ImdsLineage, ADifferentProcessWithTheIdTellsNothing) {
    Proc proc;
    proc.add(30, 1, 12345, "0::/docker/" + std::string(64, 'e') + "\n");
    Lineage lineage(proc.path());
    EXPECT_EQ(lineage.find(of(30))->facts.container.id, "");
}

TEST(ImdsLineage, MemoryIsBounded) {
    Lineage::Limits limits;
    limits.processes = 100;
    limits.ended = 200;
    Lineage lineage("/nonexistent", limits);
    // A daemon that forks itself on and on: each ends once it has a child.
    for (uint32_t pid = 1; pid < 20'000; ++pid) {
        lineage.note(fork_of(pid, pid + 1));
        Event exit = of(pid, EBT_EXIT);
        exit.time_ns += pid * 1'000'000ULL;
        lineage.note(exit);
    }
    EXPECT_LE(lineage.size(), 100U);
    EXPECT_GT(lineage.counters().cut, 10'000U);
    EXPECT_EQ(ids(lineage, of(20'000), 10).size(), 10U);
    for (uint32_t pid = 50'000; pid < 51'000; ++pid)
        lineage.note(of(pid));
    EXPECT_LE(lineage.size(), 100U);
    EXPECT_GT(lineage.counters().forgotten, 800U);
}

TEST(ImdsLineage, ALongLineEndsWithoutDeepRecursion) {
    Lineage::Limits limits;
    limits.processes = limits.ended = 1'000'000;
    {
        Lineage lineage("/nonexistent", limits);
        for (uint32_t pid = 1; pid < 300'000; ++pid)
            lineage.note(fork_of(pid, pid + 1));
    }
    SUCCEED();
}

TEST(ImdsLineage, ThisVeryProcess) {
    Lineage lineage("/proc");
    lineage.remember_running();
    std::ifstream stat("/proc/thread-self/stat"); // qemu-user makes up the times of /proc/self/stat
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream words(text.substr(text.rfind(')') + 1));
    std::string word;
    for (int field = 3; field <= 22; ++field)
        words >> word;
    Event event = of(static_cast<uint32_t>(getpid()));
    event.start_time_ns = std::stoull(word) * (1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
    const auto line = Lineage::ancestors(lineage.find(event), 10);
    ASSERT_FALSE(line.empty());
    EXPECT_EQ(line[0]->key.pid, static_cast<uint32_t>(getppid()));
    EXPECT_TRUE(lineage.find(event)->facts.capabilities.has_value());
    EXPECT_NE(lineage.find(event)->facts.namespaces.net, 0U);
}

TEST(ImdsContainer, InAPodOfKubernetes) {
    const std::string id(64, 'a'), uid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
                                   made = "0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9", of_a_file(32, '7');
    const std::pair<std::string, std::string> cases[] = {
        {"/kubepods/burstable/pod" + uid + "/" + id, uid},
        {"/kubepods/pod" + of_a_file + "/" + id, of_a_file},
        {"/kubepods.slice/kubepods-pod" + made + ".slice/cri-containerd-" + id + ".scope", uid},
        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + made + ".slice/crio-" + id +
             ".scope/x",
         uid},
        {"/kubepods-besteffort-pod" + made + ".slice:cri-containerd:" + id, uid},
        {"/kubelet/kubepods/burstable/pod" + uid + "/" + id, uid},
        {"/kubepods/burstable/pod/" + id, ""},
        {"/kubepods/burstable/pod1234/" + id, ""},
        {"/kubepods/burstable/tripod" + uid + "/" + id, ""},
        {"/docker/" + id, ""},
        {"/pod" + uid + "/" + id, ""},
        {"/kubepods/pod" + std::string(36, '"') + "/" + id, ""},
    };
    for (const auto& [path, pod] : cases) {
        EXPECT_EQ(container_of(path).id, id) << path;
        EXPECT_EQ(container_of(path).pod, pod) << path;
    }
}

TEST(ImdsContainer, AsRuntimesNameThem) {
    const std::string id(64, 'a'), other(64, 'b');
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"/docker/" + id, id, "docker"},
        {"/system.slice/docker-" + id + ".scope", id, "docker"},
        {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", id, "containerd"},
        {"/kubepods/burstable/pod1234/" + id, id, ""},
        {"/kubepods-besteffort-pod1.slice:cri-containerd:" + id, id, "containerd"},
        {"/kubepods.slice/crio-" + id + ".scope/container", id, "cri-o"},
        {"/machine.slice/libpod-" + id + ".scope/container", id, "podman"},
        {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", id, "podman"},
        {"/libpod_parent/libpod-" + id, id, "podman"},
        {"/ecs/0123/" + id, id, "ecs"},
        {"/ecs/task/0123456789abcdef0123456789abcdef-1234567890",
         "0123456789abcdef0123456789abcdef-1234567890", "ecs"},
        {"/docker/" + other + "/docker/" + id, id, "docker"},
        {"/lxc.payload.web-1/system.slice/nginx.service", "web-1", "lxc"},
        {"/lxc/web-1/init.scope", "web-1", "lxc"},
        {"/lxc.monitor.web-1", "", ""},
        {"/machine.slice/machine-deb\\x2d12.scope/payload/system.slice/cron.service", "deb-12",
         "systemd-nspawn"},
        {"/machine.slice/systemd-nspawn@deb.service/payload", "deb", "systemd-nspawn"},
        {"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "", ""},
        {"/machine.slice/machine-lxc\\x2d7\\x2dbox.scope", "lxc-7-box", "libvirt"},
        {"/system.slice/garden.service/garden/3c9a7b52-6a1c-4c0e-7fbb-6d3b", "3c9a7b52-6a1c-4c0e-7fbb-6d3b",
         "garden"},
        {"/garden/3c9a7b52/init", "3c9a7b52", "garden"},
        {"/docker/" + id + "/system.slice/cron.service", id, "docker"},
        {"/kubepods.slice/crio-conmon-" + id + ".scope", "", ""},
        {"/machine.slice/libpod-conmon-" + id + ".scope", "", ""},
        {"/user.slice/user-1000.slice/session-3.scope", "", ""},
        {"/docker/" + id.substr(1), "", ""},
        {"/docker/" + id.substr(1) + "X", "", ""},
        {"/", "", ""},
        {"", "", ""},
    };
    for (const auto& [path, expected, runtime] : cases) {
        EXPECT_EQ(container_of(path).id, expected) << path;
        EXPECT_EQ(container_of(path).runtime, runtime) << path;
    }
}
