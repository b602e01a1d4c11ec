// SPDX-License-Identifier: MIT
// Rules of auditctl's on real calls.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "test/program/run_fixture.hpp"

namespace {

using namespace program_test;

struct Auditctl : Run {
    std::string watched = folder.path() + "/watched";
    std::string quiet = folder.path() + "/quiet";
    std::string other = folder.path() + "/other";

    void write_rules() const {
        std::ofstream(rules) << "## a comment\n-D\n-b 8192\n"
                             << "-w " << watched << " -p wa -k watched\n"
                             << "-a never,exit -F arch=b64 -S unlinkat -F path=" << quiet << "\n"
                             << "-a always,exit -F arch=b32 -S unlinkat -F dir=" << folder.path()
                             << " -k b32\n"
                             << "-a always,exit -F arch=b64 -S unlinkat,renameat -F dir=" << folder.path()
                             << "/ -F success=1 -F key=removed\n"
                             << "-a always,exit -F arch=b64 -S ptrace -F a0=0x7fff -F exit=-ESRCH -k traced\n"
                             << "-a always,exit -F arch=b64 -S fchmod -C uid!=euid -F auid!=7 -k raised\n";
    }

    /// What a process does that has all of it, and what it does not want.
    void act() const {
        const pid_t child = fork();
        if (child == 0) {
            for (const std::string& file : {watched, quiet, other})
                close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
            close(open(watched.c_str(), O_RDONLY));
            syscall(SYS_fchmodat, AT_FDCWD, watched.c_str(), 0640);
            unlinkat(AT_FDCWD, quiet.c_str(), 0);
            unlinkat(AT_FDCWD, other.c_str(), 0);
            unlinkat(AT_FDCWD, other.c_str(), 0); // fails
            unlinkat(AT_FDCWD, watched.c_str(), 0);
            syscall(SYS_ptrace, 0x7fff, INT32_MAX, 0, 0);
            syscall(SYS_ptrace, 0x7ffe, INT32_MAX, 0, 0);
            fchmod(-1, 0);
            if (seteuid(1) == 0)
                fchmod(-1, 0);
            _exit(0);
        }
        waitpid(child, nullptr, 0);
    }
};

TEST_F(Auditctl, SelectsWhatTheRulesSay) {
    write_rules();
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    act();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    std::vector<std::string> seen;
    for (const json& event : parsed(read_file(log)))
        seen.push_back(event["linux"]["syscall"]["name"].get<std::string>() + ' ' +
                       event["tags"][0].get<std::string>());
    const std::vector<std::string> expected = {"openat watched",   "fchmodat watched", "unlinkat removed",
                                               "unlinkat watched", "ptrace traced",    "fchmod raised"};
    EXPECT_EQ(seen, expected) << read_file(log);
}

TEST_F(Auditctl, ExplainsWhereItIsDecided) {
    write_rules();
    RunningProgram program({"--explain", "-r", rules});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_NE(program.out().find("    ptrace: in the kernel a0=0x7fff, exit=-ESRCH; in the program arch\n"),
              std::string::npos)
        << program.out();
}

TEST_F(Auditctl, CheckTellsLineByLine) {
    std::ofstream(rules) << "-D\n-b 8192\n-a never,exit -F subj_type=crond_t\n-a always,exit -S getppid\n";
    RunningProgram program({"-c", usable_config(), "--check", "-r", rules});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_NE(program.err().find(rules + ":3:1: warning: left out: subj_type is not compared"),
              std::string::npos)
        << program.err();
    EXPECT_NE(program.err().find(rules + ":2:1: note: \"-b\" is without meaning here"), std::string::npos)
        << program.err();
}

TEST_F(Auditctl, ADirectoryIsOneSet) {
    const std::string base = folder.path() + "/10-base.rules", before = folder.path() + "/9-never.rules";
    std::ofstream(base) << "-D\n-b 8192\n";
    std::ofstream(before) << "-a never,exit -S getppid\n";
    for (const std::string& part : {base, before}) {
        RunningProgram alone({"-c", usable_config(), "--check", "-r", part});
        EXPECT_EQ(alone.wait(), 0) << alone.err();
        EXPECT_NE(alone.err().find("select no event at all"), std::string::npos) << alone.err();
    }
    std::ofstream(folder.path() + "/30-always.rules") << "-a always,exit -S getppid\n-w /etc -p w -k etc\n";
    RunningProgram program({"-c", usable_config(), "--check", "-r", folder.path()});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(program.err().find("select no event"), std::string::npos) << program.err();
    std::ofstream(base, std::ios::app) << "-a always,exit -S no_such_call\n";
    RunningProgram wrong({"-c", usable_config(), "--check", "-r", folder.path()});
    EXPECT_EQ(wrong.wait(), 2);
    EXPECT_NE(wrong.err().find(base + ":3:"), std::string::npos) << wrong.err();
}

} // namespace
