// SPDX-License-Identifier: MIT
// The table of system calls against itself; see syscalls_kernel_test.cpp for the table
// against this machine's headers and kernel.
#include <ebpf_loader/constants.hpp>
#include <ebpf_loader/syscalls.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <linux/net.h>

#include <gtest/gtest.h>

#include "test/unit/support/syscall_row.hpp"

namespace {

using namespace ebpf_loader;

/// "PATH 1@0 always": a step as text, to compare and to read in a failure.
std::string text(const ebt_step& step) {
    static const std::map<int, std::string> captures = {{EBT_CAPTURE_PATH, "PATH"},
                                                        {EBT_CAPTURE_STRING, "STRING"},
                                                        {EBT_CAPTURE_FILE, "FILE"},
                                                        {EBT_CAPTURE_SOCKADDR, "SOCKADDR"},
                                                        {EBT_CAPTURE_SOCKADDR_OUT, "SOCKADDR_OUT"},
                                                        {EBT_CAPTURE_MSGHDR, "MSGHDR"},
                                                        {EBT_CAPTURE_SOCKET, "SOCKET"},
                                                        {EBT_CAPTURE_ARGV, "ARGV"},
                                                        {EBT_CAPTURE_BYTES, "BYTES"},
                                                        {EBT_CAPTURE_WRITTEN, "WRITTEN"}};
    static const std::map<int, std::string> whens = {
        {EBT_ALWAYS, "always"}, {EBT_ON_SUCCESS, "success"}, {EBT_ON_FAILURE, "failure"}};
    std::string out = captures.at(step.capture) + ' ';
    out += step.arg == EBT_ARG_RET ? "RET" : std::to_string(step.arg);
    const bool takes_bytes = step.capture == EBT_CAPTURE_BYTES || step.capture == EBT_CAPTURE_WRITTEN;
    if (takes_bytes && step.link >= EBT_ARGS)
        out += '@' + std::to_string(step.link - EBT_FIXED(0)) + " bytes";
    else if (takes_bytes || step.capture == EBT_CAPTURE_PATH || step.capture == EBT_CAPTURE_SOCKADDR ||
             step.capture == EBT_CAPTURE_SOCKADDR_OUT)
        out += step.link == EBT_LINK_CWD    ? "@cwd"
               : step.link == EBT_LINK_NONE ? "@none"
                                            : '@' + std::to_string(step.link);
    return out + ' ' + whens.at(step.when);
}

std::vector<std::string> steps_of(const SyscallRow& row) {
    std::vector<std::string> out;
    for (const ebt_step& step : capture_steps(row))
        out.push_back(text(step));
    return out;
}

std::vector<std::string> steps_of(std::string_view name) {
    return steps_of(call(name));
}

using Strings = std::vector<std::string>;

TEST(Syscalls, EveryRowIsFoundByNameAndByEachNumber) {
    for (const SyscallRow& row : syscall_rows()) {
        const SyscallRow* named = find_syscall(row.name);
        while (named && named != &row)
            named = next_form(*named);
        EXPECT_EQ(named, &row) << row.name;
        bool has_number = false;
        for (ebt_abi abi : {EBT_X86_64, EBT_I386, EBT_X32, EBT_AARCH64, EBT_ARM}) {
            if (row.number[abi] < 0)
                continue;
            has_number = true;
            EXPECT_EQ(find_syscall(abi, row.number[abi]), &row) << row.name;
        }
        EXPECT_TRUE(has_number) << row.name;
    }
}

TEST(Syscalls, PlanRowsMapBackAndForth) {
    std::set<uint16_t> seen;
    for (const SyscallRow& row : syscall_rows()) {
        EXPECT_EQ(syscall_of_row(row_of(row)), &row);
        EXPECT_TRUE(seen.insert(row_of(row)).second);
    }
    EXPECT_EQ(*seen.begin(), EBT_FIRST_SYSCALL_ROW);
    EXPECT_EQ(*seen.rbegin(), EBT_FIRST_SYSCALL_ROW + syscall_rows().size() - 1);
    EXPECT_EQ(syscall_of_row(EBT_ROW_NONE), nullptr);
    EXPECT_EQ(syscall_of_row(EBT_ROW_EXIT), nullptr);
    EXPECT_EQ(syscall_of_row(static_cast<uint16_t>(*seen.rbegin() + 1)), nullptr);
    EXPECT_EQ(syscall_of_row(UINT16_MAX), nullptr);
}

TEST(Syscalls, UnknownNamesAndNumbersAreNotFound) {
    EXPECT_EQ(find_syscall(""), nullptr);
    EXPECT_EQ(find_syscall("Open"), nullptr);
    EXPECT_EQ(find_syscall("opena"), nullptr);
    EXPECT_EQ(find_syscall("zzz"), nullptr);
    EXPECT_EQ(find_syscall(EBT_X86_64, -1), nullptr);
    EXPECT_EQ(find_syscall(EBT_X86_64, 400), nullptr);
    EXPECT_EQ(find_syscall(EBT_X86_64, EBT_NUMBERS), nullptr);
    EXPECT_EQ(find_syscall(EBT_X86_64, 257 | EBT_X32_BIT), nullptr) << "the bit is for the caller to remove";
    EXPECT_EQ(find_syscall(static_cast<ebt_abi>(EBT_ABIS), 0), nullptr);
}

/// Rows stand by x86_64 number, then by i386 number, then by arm's, so that a place is easily found.
TEST(Syscalls, RowsAreInOrder) {
    const auto place = [](const SyscallRow& row) {
        int part = 0;
        for (const ebt_abi abi : {EBT_X86_64, EBT_I386, EBT_ARM}) {
            if (row.number[abi] >= 0)
                return std::pair(part, row.number[abi]);
            part++;
        }
        return std::pair(part, -1);
    };
    auto rows = syscall_rows();
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(),
                               [&](const auto& a, const auto& b) { return place(a) < place(b); }));
}

/// Two forms of a call share no ABI, or a rule on the name would be two rules on one call.
TEST(Syscalls, FormsOfACallAreForDifferentAbis) {
    std::set<std::string> with_forms;
    for (const SyscallRow& row : syscall_rows()) {
        for (const SyscallRow* other = next_form(row); other; other = next_form(*other)) {
            with_forms.emplace(row.name);
            for (int abi = 0; abi < EBT_ABIS; abi++)
                EXPECT_TRUE(row.number[abi] < 0 || other->number[abi] < 0) << row.name << ' ' << abi;
            EXPECT_EQ(other->flags, row.flags) << row.name;
        }
    }
    EXPECT_EQ(with_forms,
              (std::set<std::string>{"clone", "fadvise64", "fallocate", "fanotify_mark", "ftruncate64",
                                     "futimesat", "lookup_dcookie", "pread64", "pwrite64", "readahead",
                                     "sync_file_range", "truncate64", "utime", "utimensat", "utimes"}));
}

TEST(Syscalls, I386PassesHalvesOf64BitArguments) {
    const SyscallRow& wide = call("fanotify_mark");
    const SyscallRow* narrow = next_form(wide);
    ASSERT_NE(narrow, nullptr);
    EXPECT_EQ(find_syscall(EBT_I386, 339), narrow);
    EXPECT_EQ(steps_of(wide), Strings{"PATH 4@3 always"});
    EXPECT_EQ(steps_of(*narrow), Strings{"PATH 5@4 always"});
}

TEST(Syscalls, OldKernelsServeNumbersOfTheOther64BitAbi) {
    const SyscallRow& execve = call("execve");
#ifdef __x86_64__
    EXPECT_EQ(find_syscall(EBT_X86_64, 520), &execve);
    EXPECT_EQ(find_syscall(EBT_X32, 59), &execve);
    EXPECT_EQ(find_syscall(EBT_I386, 520), nullptr);
    EXPECT_EQ(numbers_of(execve),
              (std::vector<SyscallNumber>{
                  {EBT_X86_64, 59}, {EBT_X86_64, 520}, {EBT_I386, 11}, {EBT_X32, 59}, {EBT_X32, 520}}));
    EXPECT_EQ(numbers_of(call("openat")),
              (std::vector<SyscallNumber>{{EBT_X86_64, 257}, {EBT_I386, 295}, {EBT_X32, 257}}));
    EXPECT_EQ(numbers_of(call("mmap2")), (std::vector<SyscallNumber>{{EBT_I386, 192}}));
    EXPECT_EQ(numbers_of(call("uselib")),
              (std::vector<SyscallNumber>{{EBT_X86_64, 134}, {EBT_I386, 86}, {EBT_X32, 134}}));
#else // which has one 64-bit ABI
    EXPECT_EQ(find_syscall(EBT_AARCH64, 520), nullptr);
    EXPECT_EQ(numbers_of(execve), (std::vector<SyscallNumber>{{EBT_AARCH64, 221}, {EBT_ARM, 11}}));
    EXPECT_EQ(numbers_of(call("openat")), (std::vector<SyscallNumber>{{EBT_AARCH64, 56}, {EBT_ARM, 322}}));
    EXPECT_EQ(numbers_of(call("mmap2")), (std::vector<SyscallNumber>{{EBT_ARM, 192}}));
    EXPECT_EQ(numbers_of(call("uselib")), (std::vector<SyscallNumber>{{EBT_ARM, 86}}));
#endif
}

TEST(Syscalls, EveryNumberBelongsToOneRow) {
    std::map<std::pair<int, int>, std::string_view> owner;
    for (const SyscallRow& row : syscall_rows())
        for (const SyscallNumber& number : numbers_of(row)) {
            auto [entry, is_new] = owner.try_emplace({number.abi, number.number}, row.name);
            EXPECT_TRUE(is_new) << row.name << " and " << entry->second;
        }
}

TEST(Syscalls, ArgumentsAreSound) {
    for (const SyscallRow& row : syscall_rows()) {
        ASSERT_LE(row.arguments, EBT_ARGS) << row.name;
        std::set<std::string_view> names;
        for (size_t i = 0; i < row.arguments; i++) {
            const Argument& argument = row.argument[i];
            EXPECT_FALSE(argument.name.empty()) << row.name;
            EXPECT_TRUE(names.insert(argument.name).second) << row.name << ' ' << argument.name;
            bool takes_names = argument.kind == ArgKind::flags || argument.kind == ArgKind::enumeration;
            EXPECT_TRUE(!takes_names || !argument.flag_set.empty()) << row.name << ' ' << argument.name;
            EXPECT_TRUE(argument.kind == ArgKind::structure || argument.flag_set.empty() ||
                        !constants_of(argument.flag_set).empty())
                << row.name << " uses the set " << argument.flag_set << ", which is not there";
        }
    }
}

/// A dirfd without its path, or the other way round, is a slip in the table.
TEST(Syscalls, EveryDirfdHasAPath) {
    for (const SyscallRow& row : syscall_rows())
        for (size_t i = 0; i < row.arguments; i++) {
            if (row.argument[i].kind != ArgKind::dirfd)
                continue;
            auto uses = std::count_if(row.argument, row.argument + row.arguments, [&](const Argument& path) {
                return path.kind == ArgKind::path && path.link == i;
            });
            EXPECT_EQ(uses, 1) << row.name << ' ' << row.argument[i].name;
        }
}

TEST(Syscalls, StepsFitAndReferToArguments) {
    for (const SyscallRow& row : syscall_rows()) {
        auto steps = capture_steps(row);
        EXPECT_LE(steps.size(), size_t{EBT_STEPS}) << row.name;
        for (const ebt_step& step : steps) {
            EXPECT_TRUE(step.arg == EBT_ARG_RET || step.arg < row.arguments) << row.name;
            EXPECT_GT(step.capture, EBT_CAPTURE_NONE) << row.name;
            EXPECT_LT(step.capture, EBT_CAPTURES) << row.name;
            bool has_dirfd = step.capture == EBT_CAPTURE_PATH && step.link < EBT_ARGS;
            EXPECT_TRUE(!has_dirfd || row.argument[step.link].kind == ArgKind::dirfd) << row.name;
        }
    }
}

/// What the decoder and the formatter have room for in an event.
TEST(Syscalls, NoCallHasMorePathsOrStringsThanAnEventHolds) {
    for (const SyscallRow& row : syscall_rows()) {
        auto steps = capture_steps(row);
        auto count = [&](std::initializer_list<int> captures) {
            return std::count_if(steps.begin(), steps.end(), [&](const ebt_step& step) {
                return std::find(captures.begin(), captures.end(), step.capture) != captures.end();
            });
        };
        EXPECT_LE(count({EBT_CAPTURE_PATH, EBT_CAPTURE_FILE}), 4) << row.name;
        EXPECT_LE(count({EBT_CAPTURE_STRING}), 4) << row.name;
        EXPECT_LE(count({EBT_CAPTURE_SOCKADDR, EBT_CAPTURE_SOCKADDR_OUT, EBT_CAPTURE_MSGHDR}), 1) << row.name;
    }
}

TEST(Syscalls, StepsOfOpens) {
    EXPECT_EQ(steps_of("open"), (Strings{"FILE RET success", "PATH 0@cwd failure"}));
    EXPECT_EQ(steps_of("openat"), (Strings{"FILE RET success", "PATH 1@0 failure"}));
    EXPECT_EQ(steps_of("openat2"), (Strings{"FILE RET success", "PATH 1@0 failure", "BYTES 2@3 always"}));
    EXPECT_EQ(steps_of("creat"), (Strings{"FILE RET success", "PATH 0@cwd failure"}));
    EXPECT_EQ(steps_of("memfd_create"), (Strings{"FILE RET success", "STRING 0 always"}));
    EXPECT_EQ(steps_of("open_by_handle_at"), (Strings{"FILE RET success", "FILE 0 always"}));
    EXPECT_EQ(steps_of("open_tree"), Strings{"PATH 1@0 always"});
}

TEST(Syscalls, StepsOfPaths) {
    EXPECT_EQ(steps_of("unlinkat"), Strings{"PATH 1@0 always"});
    EXPECT_EQ(steps_of("rename"), (Strings{"PATH 0@cwd always", "PATH 1@cwd always"}));
    EXPECT_EQ(steps_of("renameat2"), (Strings{"PATH 1@0 always", "PATH 3@2 always"}));
    EXPECT_EQ(steps_of("linkat"), (Strings{"PATH 1@0 always", "PATH 3@2 always"}));
    EXPECT_EQ(steps_of("symlink"), (Strings{"PATH 0@none always", "PATH 1@cwd always"}));
    EXPECT_EQ(steps_of("symlinkat"), (Strings{"PATH 0@none always", "PATH 2@1 always"}));
    EXPECT_EQ(steps_of("mount"), (Strings{"PATH 0@none always", "PATH 1@cwd always", "STRING 2 always"}));
    EXPECT_EQ(steps_of("move_mount"), (Strings{"PATH 1@0 always", "PATH 3@2 always"}));
    EXPECT_EQ(steps_of("pivot_root"), (Strings{"PATH 0@cwd always", "PATH 1@cwd always"}));
    EXPECT_EQ(steps_of("chdir"), Strings{"PATH 0@cwd failure"});
    EXPECT_EQ(steps_of("setxattr"), (Strings{"PATH 0@cwd always", "STRING 1 always", "BYTES 2@3 always"}));
}

TEST(Syscalls, StepsOfMemory) {
    EXPECT_EQ(steps_of("clone3"), Strings{"BYTES 0@1 always"});
    EXPECT_EQ(steps_of("utimensat"), (Strings{"PATH 1@0 always", "BYTES 2@32 bytes always"}));
    EXPECT_EQ(steps_of("write"), (Strings{"FILE 0 always", "WRITTEN 1@2 always"}));
}

TEST(Syscalls, StepsOfDescriptors) {
    EXPECT_EQ(steps_of("read"), Strings{"FILE 0 always"});
    EXPECT_EQ(steps_of("close"), Strings{});
    EXPECT_EQ(steps_of("dup2"), Strings{"FILE 0 always"});
    EXPECT_EQ(steps_of("mmap"), Strings{"FILE 4 always"});
    EXPECT_EQ(steps_of("splice"), (Strings{"FILE 0 always", "FILE 2 always"}));
    EXPECT_EQ(steps_of("finit_module"), (Strings{"FILE 0 always", "STRING 1 always"}));
    EXPECT_EQ(steps_of("kexec_file_load"), (Strings{"FILE 0 always", "FILE 1 always", "STRING 3 always"}));
}

TEST(Syscalls, StepsOfSockets) {
    EXPECT_EQ(steps_of("socket"), Strings{"SOCKET RET success"});
    EXPECT_EQ(steps_of("connect"), (Strings{"SOCKADDR 1@2 always", "SOCKET 0 always"}));
    EXPECT_EQ(steps_of("accept4"),
              (Strings{"SOCKET RET success", "SOCKADDR_OUT 1@2 success", "SOCKET 0 failure"}));
    EXPECT_EQ(steps_of("sendto"), (Strings{"SOCKADDR 4@5 always", "SOCKET 0 always"}));
    EXPECT_EQ(steps_of("recvfrom"), (Strings{"SOCKADDR_OUT 4@5 success", "SOCKET 0 always"}));
    EXPECT_EQ(steps_of("sendmsg"), (Strings{"MSGHDR 1 always", "SOCKET 0 always"}));
    EXPECT_EQ(steps_of("recvmsg"), (Strings{"MSGHDR 1 success", "SOCKET 0 always"}));
}

TEST(Syscalls, StepsOfExec) {
    EXPECT_EQ(steps_of("execve"), (Strings{"PATH 0@cwd failure", "ARGV 1 failure"}));
    EXPECT_EQ(steps_of("execveat"), (Strings{"PATH 1@0 failure", "ARGV 2 failure"}));
}

TEST(Syscalls, SpecialCallsAreMarked) {
    EXPECT_EQ(call("execve").flags, EBT_PLAN_EXEC | EBT_PLAN_VITAL);
    EXPECT_EQ(call("execveat").flags, EBT_PLAN_EXEC | EBT_PLAN_VITAL);
    for (std::string_view name : {"fork", "vfork", "clone", "clone3"})
        EXPECT_EQ(call(name).flags, EBT_PLAN_CLONE | EBT_PLAN_VITAL) << name;
    for (std::string_view name : {"exit", "exit_group"})
        EXPECT_EQ(call(name).flags, EBT_PLAN_NO_RETURN | EBT_PLAN_VITAL) << name;
    for (std::string_view name : {"rt_sigreturn", "sigreturn"})
        EXPECT_EQ(call(name).flags, EBT_PLAN_NO_RETURN | EBT_PLAN_ENTER) << name;
    EXPECT_EQ(call("socketcall").flags, EBT_PLAN_SOCKETCALL);
    for (std::string_view name : {"setuid", "setresgid32", "setgroups", "setfsuid", "capset"})
        EXPECT_EQ(call(name).flags, EBT_PLAN_VITAL | EBT_PLAN_CREDENTIALS) << name;
    EXPECT_EQ(call("openat").flags, 0);
    for (const SyscallRow& row : syscall_rows())
        EXPECT_EQ(row.returns == ReturnKind::none, (row.flags & EBT_PLAN_NO_RETURN) != 0) << row.name;
}

TEST(Syscalls, WidthsAndSigns) {
    EXPECT_TRUE(is_32_bit(ArgKind::integer));
    EXPECT_TRUE(is_32_bit(ArgKind::dirfd));
    EXPECT_TRUE(is_32_bit(ArgKind::uid));
    EXPECT_FALSE(is_32_bit(ArgKind::pointer));
    EXPECT_FALSE(is_32_bit(ArgKind::number));
    EXPECT_FALSE(is_32_bit(ArgKind::address));
    EXPECT_TRUE(is_signed(ArgKind::pid));
    EXPECT_TRUE(is_signed(ArgKind::offset));
    EXPECT_FALSE(is_signed(ArgKind::uid));
    EXPECT_FALSE(is_signed(ArgKind::size));
    EXPECT_EQ(kind_name(ArgKind::address), "address");
    EXPECT_EQ(kind_name(ArgKind::path_text), "path_text");
    EXPECT_EQ(return_name(ReturnKind::none), "none");
}

TEST(Syscalls, ListingNamesEveryRow) {
    std::ostringstream out;
    list_syscalls(out);
    const std::string listing = out.str();
    for (const SyscallRow& row : syscall_rows())
        EXPECT_NE(listing.find("  " + std::string(row.name) + '('), std::string::npos) << row.name;
    EXPECT_TRUE(listing.starts_with("  x86_64    i386     x32 aarch64     arm  call\n"));
    EXPECT_NE(listing.find("     257     295     257      56     322  openat(dirfd dirfd, path "
                           "pathname@dirfd, flags:open flags, mode mode) -> file\n"),
              std::string::npos);
    EXPECT_EQ(listing.find('?'), std::string::npos) << "a capture without a name";
}

/// accept, send and recv have no numbers of their own on i386: see SOCKETCALL_SHORT.
TEST(Syscalls, SocketcallTurnsIntoTheCallThatHasANumberOfItsOwn) {
    const std::pair<int, const char*> calls[] = {
        {SYS_SOCKET, "socket"},
        {SYS_BIND, "bind"},
        {SYS_CONNECT, "connect"},
        {SYS_LISTEN, "listen"},
        {SYS_ACCEPT, "accept4"},
        {SYS_GETSOCKNAME, "getsockname"},
        {SYS_GETPEERNAME, "getpeername"},
        {SYS_SOCKETPAIR, "socketpair"},
        {SYS_SEND, "sendto"},
        {SYS_RECV, "recvfrom"},
        {SYS_SENDTO, "sendto"},
        {SYS_RECVFROM, "recvfrom"},
        {SYS_SHUTDOWN, "shutdown"},
        {SYS_SETSOCKOPT, "setsockopt"},
        {SYS_GETSOCKOPT, "getsockopt"},
        {SYS_SENDMSG, "sendmsg"},
        {SYS_RECVMSG, "recvmsg"},
        {SYS_ACCEPT4, "accept4"},
        {SYS_RECVMMSG, "recvmmsg"},
        {SYS_SENDMMSG, "sendmmsg"},
    };
    for (const auto& [number, name] : calls) {
        const SyscallRow* row = find_socketcall(static_cast<uint64_t>(number));
        ASSERT_NE(row, nullptr) << name;
        EXPECT_EQ(row->name, name);
        EXPECT_GT(row->number[EBT_I386], 0) << name;
    }
    for (const uint64_t unknown : {uint64_t{0}, uint64_t{21}, uint64_t{1} << 32, UINT64_MAX})
        EXPECT_EQ(find_socketcall(unknown), nullptr) << unknown;
    EXPECT_EQ(call("accept").socketcall, SYS_ACCEPT);
    EXPECT_EQ(call("connect").socketcall, SYS_CONNECT);
    EXPECT_EQ(call("read").socketcall, 0);
}

} // namespace
