// SPDX-License-Identifier: MIT
// What is read from /proc/PID, whatever a process makes of it.
#include "telemetry/process/procfs.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;

namespace {

constexpr const char* rest_of_stat = " S 7 1 1 34817 -1 4194304 0 0 0 0 1 2 3 4 20 0 1 0 4711 0";

std::optional<ProcessStat> stat_named(const std::string& comm) {
    return parse_stat("10 (" + comm + ")" + rest_of_stat);
}

} // namespace

TEST(Procfs, ACommandNameMayHoldAnything) {
    for (const std::string comm : {"", "cat", ")", "(", "a) S 1 (b", "  ", "a b", "a\nb\\n", "\\"}) {
        const auto stat = stat_named(comm);
        ASSERT_TRUE(stat) << comm;
        EXPECT_EQ(stat->comm(), comm);
        EXPECT_EQ(stat->ppid, 7U);
        EXPECT_EQ(stat->tty, 34817);
        EXPECT_EQ(stat->start_ticks, 4711U);
        EXPECT_FALSE(stat->is_exiting);
    }
    EXPECT_EQ(stat_named(std::string(64, 'x'))->comm(), std::string(EBT_COMM_LEN, 'x'));
}

TEST(Procfs, ACommandNameIsWhatTheProcessSet) {
    constexpr std::string_view name = "a\nb\\c) S (";
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, name.data());
        raise(SIGSTOP);
        _exit(0);
    }
    ASSERT_EQ(waitpid(child, nullptr, WUNTRACED), child);
    Procfs procfs;
    const Procfs::Process* process = procfs.read(static_cast<uint32_t>(child));
    EXPECT_TRUE(process && process->comm == name) << (process ? process->comm : "nothing");
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

TEST(Procfs, AProcessThatIsExitingIsSeenToBe) {
    EXPECT_TRUE(parse_stat("10 (x) S 7 1 1 0 -1 4194308 0 0 0 0 1 2 3 4 20 0 1 0 4711")->is_exiting);
}

TEST(Procfs, CapabilitiesStandBehindManyGroups) {
    const TemporaryFolder folder;
    const std::string process = folder.path() + "/10";
    std::filesystem::create_directory(process);
    std::ofstream(process + "/stat") << "10 (x)" << rest_of_stat;
    std::ofstream status(process + "/status");
    status << "Name:\tUid:\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t";
    for (int group = 0; group < 65536; ++group)
        status << 4'000'000 + group << ' ';
    status << "\nCapInh:\t0\nCapPrm:\t1\nCapEff:\t2\nCapBnd:\t3\n";
    status.close();
    const Procfs procfs(folder.path());
    const auto facts = procfs.facts(10, 4711);
    ASSERT_TRUE(facts && facts->capabilities);
    EXPECT_EQ(facts->capabilities->bounding, 3U);
    EXPECT_EQ(procfs.ids(10)->fsuid, 4U);
    EXPECT_EQ(procfs.ids(10)->gid, 5U);
    EXPECT_FALSE(procfs.facts(10, 4712)) << "another process has the id";
    EXPECT_FALSE(procfs.facts(11, 4711));
}

TEST(Procfs, WhatItReadStaysWhereItIsWhenItIsMoved) {
    Procfs first;
    const Procfs::Process* process = first.read(static_cast<uint32_t>(getpid()));
    ASSERT_TRUE(process);
    const std::string comm(process->comm), exe(process->image.exe.bytes);
    const Procfs second = std::move(first);
    EXPECT_EQ(process->comm, comm);
    EXPECT_EQ(process->image.exe.bytes, exe);
}

TEST(Procfs, LinksOfNamespaces) {
    EXPECT_EQ(namespace_inode("net:[4026531840]"), 4026531840U);
    for (const char* link : {"", "net:", "net:[", "net:[]", "net:[12", "net:[1x]", "net:[99999999999]"})
        EXPECT_EQ(namespace_inode(link), 0U) << link;
}
