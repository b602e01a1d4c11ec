// SPDX-License-Identifier: MIT
// Kernel offsets: a config of them drives the engine, a wrong one stops it.
#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ebpf_loader/offset_source.hpp>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/fixture.hpp"
#include "test/takes_32_bit.hpp"

namespace kernel_test {

namespace {

using ebpf_loader::Offsets;

std::string row_name(size_t row) {
    const ebpf_loader::OffsetRow& names = ebpf_loader::offset_rows()[row];
    return std::string(names.structure) + "." + std::string(names.member);
}

bool always() {
    return true;
}

/// Since then every end of a process sets SIGNAL_GROUP_EXIT, and quick_threads counts down to it.
bool since_6_0() {
    utsname name{};
    uname(&name);
    int major = 0, minor = 0;
    return sscanf(name.release, "%d.%d", &major, &minor) == 2 && std::pair(major, minor) >= std::pair(6, 0);
}

/// A wrong value that the engine's observation of itself does not tell from the right one,
/// on this kernel: what stands next to a field differs between kernels.
struct Undetectable {
    std::string_view row;
    int difference; ///< to the right value; 0: any
    std::string_view reason;
    bool (*applies)() = always;
    bool sometimes = false; ///< it depends on what happens to be there
};

constexpr Undetectable undetectable[] = {
    // Fields that have the same value, or point to the same thing.
    {"task_struct.real_parent", 8, "parent, the same unless the process is traced"},
    {"task_struct.start_boottime", -8, "start_time, the same unless the machine slept"},
    {"task_struct.cred", -8, "real_cred, the same but for a moment in access(2)"},
    {"task_struct.mm", 8, "active_mm, the same for a process"},
    {"cred.cap_permitted", 8, "cap_effective and the bounding set, the same two of root as a rule", always,
     true},
    {"mm_struct.env_start", 0, "read where rules ask for variables of the environment", always, true},
    {"mm_struct.env_end", 0, "the same, and at an exec", always, true},
    {"task_struct.children", -8, "the search comes round to the last child all the same"},
    {"fdtable.max_fds", 0, "padding, or beyond the table: any number that exceeds all descriptors will do",
     always, true},
    // Of records, only those of witnesses read them.
    {"task_struct.flags", 0, "tells the threads of io_uring apart"},
    {"file.f_flags", 0, "of what io_uring opens", always, true},
    {"file.f_mode", 0, "of a file that the check does not make", always, true},
    {"socket.file", 0, "of sockets that io_uring uses", always, true},
    {"linux_binprm.file", 0, "while an exec is under way", always, true},
    {"linux_binprm.filename", 0, "while an exec is under way", always, true},
    {"linux_binprm.interp", 0, "while an exec is under way", always, true},
    // What only some files have: the decoder takes nothing for a kind but the kinds that there are.
    {"inode.i_private", 0, "of a namespace's file"},
    {"ns_common.ops", 0, "of a namespace's file"},
    {"proc_ns_operations.name", 0, "of a namespace's file"},
    {"dentry.d_hash_pprev", 0, "the next name in the table, or the parent: mostly not 0 either", always,
     true},
    // A number that is 0 there is not known, and goes into no event.
    {"task_struct.nsproxy", 0, "fs or files, whose numbers are 0", always, true},
    {"cred.user_ns", 0, "where there is no namespace", always, true},
    {"nsproxy.mnt_ns", 0, "another namespace's", always, true},
    {"nsproxy.pid_ns_for_children", 0, "another namespace's", always, true},
    {"mnt_namespace.inum", 0, "0", always, true},
    {"pid_namespace.inum", 0, "0", always, true},
    {"user_namespace.inum", 0, "0", always, true},
    // Of cgroups only a path goes into events, and a wrong place has none.
    {"task_struct.cgroups", 0, "no cgroup", always, true},
    {"css_set.dfl_cgrp", 0, "no cgroup", always, true},
    {"css_set.subsys", 0, "another controller", always, true},
    {"cgroup_subsys_state.cgroup", 0, "no cgroup", always, true},
    {"cgroup.kn", 0, "no folder", always, true},
    {"cgroup.root", 0, "another hierarchy", always, true},
    {"kernfs_node.parent", 0, "the root, or no folder", always, true},
    {"kernfs_node.name", 0, "another name", always, true},
    {"inode.i_size", 0, "read with --hash, and compared with the file", always, true},
    {"inode.i_ctime_sec", 0, "the same", always, true},
    {"inode.i_ctime_nsec", 0, "the same", always, true},
    {"super_block.s_dev", 0, "0: not known, and in no event", always, true},
    // Counts and modes, of which the check's own process has what most memory has.
    {"task_struct.ptrace", 0, "of a traced process", always, true},
    {"task_struct.seccomp_mode", 0, "of a process with a filter", always, true},
    {"mm_struct.mm_users", 0, "of a process that shares", always, true},
    {"fs_struct.users", 0, "of a process that shares", always, true},
    {"files_struct.count", 0, "of a process that shares", always, true},
    // Newer kernels only.
    {"task_struct.exit_code", 0, "not read where the kernel notes every end in signal_struct", since_6_0},
    {"signal_struct.live", 8, "quick_threads, which reaches 0 along with it", since_6_0},
};

const Undetectable* find_undetectable(size_t row, int64_t difference) {
    for (const Undetectable& candidate : undetectable)
        if (candidate.row == row_name(row) && candidate.applies() &&
            (candidate.difference == 0 || candidate.difference == difference))
            return &candidate;
    return nullptr;
}

/// What the engine says of these offsets; empty when it starts.
std::string refusal(ebpf_loader::Tier tier, const Offsets& offsets) {
    const auto rules =
        telemetry::Rules::parse("all\nprocess_fork\nprocess_exec\nprocess_exit\n", "rules of the test");
    ebpf_loader::EngineOptions options;
    options.tier = tier;
    options.offsets = offsets;
    const ebt_endpoint endpoint{};
    ebpf_loader::Selection selection = rules.compile();
    selection.select_transfers({&endpoint, 1});
    try {
        const ebpf_loader::Engine engine(selection, options);
    } catch (const ebpf_loader::Error& error) {
        return (error.code() == ebpf_loader::ErrorCode::offsets ? "" : "not an error of offsets: ") +
               std::string(error.what());
    }
    return {};
}

/// The same, in a process that has a terminal and ids that differ from each other.
std::string refusal_at_terminal(ebpf_loader::Tier tier, const Offsets& offsets) {
    int ends[2];
    const int ptmx = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64] = "";
    if (pipe(ends) != 0 || (ptmx >= 0 && (unlockpt(ptmx) != 0 || ptsname_r(ptmx, name, sizeof name) != 0)))
        throw std::runtime_error("no pipe, or no terminal");
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (ptmx >= 0 && open(name, O_RDWR) < 0)
            _exit(2);
        const std::string text = refusal(tier, offsets);
        _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;)
        text.append(part, static_cast<size_t>(got));
    close(ends[0]);
    close(ptmx);
    int status = -1;
    waitpid(child, &status, 0);
    return status == 0 ? text : "the engine did not survive it: status " + std::to_string(status);
}

/// Does the message name the field, or the structure that it is part of?
bool names_field(const std::string& message, size_t row) {
    const std::string structure(ebpf_loader::offset_rows()[row].structure);
    return message.find(row_name(row)) != message.npos ||
           message.find(", " + structure + ",") != message.npos ||
           message.find(structure + ":") != message.npos;
}

/// Fields whose wrong places hold zeroes, small numbers or pointers to something alike.
constexpr std::string_view easily_mistaken[] = {
    "task_struct.stack",        "task_struct.status",  "task_struct.exit_code",
    "mm_struct.arg_start",      "mm_struct.arg_end",   "path.mnt",
    "fdtable.max_fds",          "inode.i_uid",         "inode.i_gid",
    "vfsmount.mnt_root",        "mount.mnt",           "mount.mnt_parent",
    "signal_struct.live",       "signal_struct.flags", "mount.mnt_mountpoint",
    "task_struct.self_exec_id",
};

/// The neighbours, what another kernel would have there; and for some what is further off.
std::vector<int> differences(size_t row) {
    const std::string name = row_name(row);
    const bool mistaken =
        std::find(std::begin(easily_mistaken), std::end(easily_mistaken), name) != std::end(easily_mistaken);
    return mistaken ? std::vector{8, -8, 4, 64} : std::vector{8, -8};
}

class OffsetTest : public testing::Test {
  public:
    explicit OffsetTest(ebpf_loader::Tier tier, size_t row) : tier_(tier), row_(row) {}

  private:
    void TestBody() override {
        static const Offsets right = Offsets::from_btf();
        const auto value = right.get(row_);
        if (!value)
            GTEST_SKIP() << "this kernel has no " << row_name(row_);
        if (row_name(row_) == "task_struct.status" && !takes_32_bit_calls())
            GTEST_SKIP() << "a wrong one shows in calls of 32-bit programs alone: " << no_32_bit_calls;
        for (const int difference : differences(row_)) {
            if (difference < 0 && *value < 8)
                continue;
            Offsets offsets = right;
            offsets.set(row_, *value + static_cast<uint32_t>(difference));
            const std::string message = refusal_at_terminal(tier_, offsets);
            const Undetectable* known = find_undetectable(row_, difference);
            if (known && (!known->sometimes || message.empty())) {
                EXPECT_EQ(message, "")
                    << row_name(row_) << " " << difference << " is detected after all: " << known->reason;
                continue;
            }
            EXPECT_NE(message, "") << row_name(row_) << " " << difference << " (" << *value
                                   << ") is not detected";
            EXPECT_TRUE(message.empty() || names_field(message, row_))
                << row_name(row_) << " " << difference << " (" << *value << ") is not named: " << message;
        }
    }
    ebpf_loader::Tier tier_;
    size_t row_;
};

/// Offsets that were written to a config and read back are as good as the kernel's own.
class ConfigTest : public testing::Test {
  public:
    explicit ConfigTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) {}

  private:
    void TestBody() override {
        const TestFolder folder(base_folder());
        const std::string config = folder.path() + "/offsets.conf";
        const Offsets own = options_.offsets ? *options_.offsets
                                             : ebpf_loader::running_kernel_offsets([](std::string_view) {});
        own.write_config(*std::make_unique<std::ofstream>(config));
        options_.offsets = Offsets::from_config(config);
        ebpf_loader::Engine engine(telemetry::Rules::parse("openat a3 = 31\n", "rules of the test").compile(),
                                   options_);
        EXPECT_NE(engine.offsets().source.find(config), std::string::npos) << engine.offsets().source;
        Collector collector(engine);
        engine.start();
        const std::string file = folder.path() + "/file";
        const pid_t child = fork();
        if (child == 0) {
            raw_syscall(SYS_openat, register_value(AT_FDCWD), register_value(file.c_str()), O_CREAT | O_RDWR,
                        31);
            _exit(0);
        }
        waitpid(child, nullptr, 0);
        collector.finish();
        const auto events = collector.take_events();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0]->pid, static_cast<uint32_t>(child));
        EXPECT_EQ(events[0]->ppid, static_cast<uint32_t>(getpid()));
        ASSERT_EQ(events[0]->paths, 1);
        EXPECT_EQ(events[0]->path[0].bytes, file);
        EXPECT_EQ(events[0]->image.exe.bytes, program_folder() + "/kernel_tests");
    }
    ebpf_loader::EngineOptions options_;
};

} // namespace

/// All tiers get their offsets in the same way: the rows are tried in the best one, but for
/// those that only the classic tier reads.
void register_offset_tests() {
    using ebpf_loader::Tier;
    const auto& tiers = tested_tiers();
    const Tier best = *std::max_element(tiers.begin(), tiers.end());
    const bool has_classic = std::find(tiers.begin(), tiers.end(), Tier::tp) != tiers.end();
    for (size_t row = 0; row < ebpf_loader::offset_rows().size(); row++) {
        const std::string name = row_name(row);
        const bool classic = name == "task_struct.children" || name == "task_struct.sibling";
        if (classic && !has_classic)
            continue;
        const Tier tier = classic ? Tier::tp : best;
        add_test<OffsetTest>("Offsets." + std::string(tier_name(tier)), name, tier, row);
    }
    for (const Tier tier : tiers)
        add_test<ConfigTest>("Config." + std::string(tier_name(tier)), "DrivesTheEngine", tier);
}

} // namespace kernel_test
