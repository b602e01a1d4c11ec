// SPDX-License-Identifier: MIT
// Named numbers against the headers of this machine. O_LARGEFILE is the kernel's, which
// glibc defines as 0 where off_t is 64 bits wide; it is checked by value.
#include <ebpf_loader/constants.hpp>

#include <map>
#include <set>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fanotify.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/kexec.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/perf_event.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

using namespace ebpf_loader;

/// By set and name, the value in the header; 32 bits, as the calls take them.
#define SAME(set, name)                                                                                      \
    EXPECT_EQ(static_cast<uint32_t>(find_constant(#set, #name).value_or(0xbadbad)),                          \
              static_cast<uint32_t>(name))                                                                   \
        << #name

TEST(Constants, Files) {
    SAME(open, O_RDONLY);
    SAME(open, O_WRONLY);
    SAME(open, O_RDWR);
    SAME(open, O_CREAT);
    SAME(open, O_EXCL);
    SAME(open, O_TRUNC);
    SAME(open, O_APPEND);
    SAME(open, O_NONBLOCK);
    SAME(open, O_SYNC);
    SAME(open, O_DIRECTORY);
    SAME(open, O_NOFOLLOW);
    SAME(open, O_CLOEXEC);
    SAME(open, O_PATH);
    SAME(open, O_TMPFILE);
#ifdef __aarch64__
    constexpr uint64_t o_largefile = 0400000;
#else
    constexpr uint64_t o_largefile = 0100000;
#endif
    EXPECT_EQ(find_constant("open", "O_LARGEFILE"), o_largefile); // the C library's is 0
    SAME(dirfd, AT_FDCWD);
    SAME(at, AT_SYMLINK_NOFOLLOW);
    SAME(at, AT_EMPTY_PATH);
    SAME(at_unlink, AT_REMOVEDIR);
    SAME(at_access, AT_EACCESS);
    SAME(access, W_OK);
    SAME(mode, S_ISUID);
    SAME(mode, S_ISGID);
    SAME(mode, S_IFMT);
    SAME(mode, S_IFCHR);
    SAME(mode, S_IWOTH);
    SAME(fcntl, F_SETFL);
    SAME(fcntl, F_DUPFD_CLOEXEC);
    SAME(fcntl, F_ADD_SEALS);
    SAME(flock, LOCK_EX);
    SAME(rename, RENAME_EXCHANGE);
    SAME(splice, SPLICE_F_GIFT);
    SAME(ioctl, TIOCSTI);
    SAME(inotify, IN_CLOSE_WRITE);
    SAME(fanotify_mark, FAN_MARK_FILESYSTEM);
    SAME(epoll_op, EPOLL_CTL_MOD);
    SAME(close_range, CLOSE_RANGE_UNSHARE);
}

TEST(Constants, Memory) {
    SAME(mmap_prot, PROT_READ);
    SAME(mmap_prot, PROT_WRITE);
    SAME(mmap_prot, PROT_EXEC);
    SAME(mmap_flags, MAP_ANONYMOUS);
    SAME(mmap_flags, MAP_FIXED);
    SAME(mmap_flags, MAP_FIXED_NOREPLACE);
    SAME(mmap_flags, MAP_HUGETLB);
    SAME(madvise, MADV_DONTNEED);
    SAME(memfd, MFD_ALLOW_SEALING);
    SAME(memfd, MFD_CLOEXEC);
    SAME(userfaultfd, UFFD_USER_MODE_ONLY);
}

TEST(Constants, Processes) {
    SAME(signal, SIGKILL);
    SAME(signal, SIGSTOP);
    SAME(signal, SIGCHLD);
    SAME(signal, SIGSYS);
    SAME(clone, CLONE_NEWUSER);
    SAME(clone, CLONE_NEWNS);
    SAME(clone, CLONE_NEWCGROUP);
    SAME(clone, CLONE_THREAD);
    SAME(clone, CLONE_IO);
    SAME(wait, WNOHANG);
    SAME(ptrace, PTRACE_TRACEME);
    SAME(ptrace, PTRACE_ATTACH);
    SAME(ptrace, PTRACE_SEIZE);
    SAME(ptrace, PTRACE_POKEDATA);
    SAME(ptrace, PTRACE_SETREGSET);
    SAME(prctl, PR_SET_NAME);
    SAME(prctl, PR_SET_NO_NEW_PRIVS);
    SAME(prctl, PR_SET_PTRACER);
    SAME(prctl, PR_CAP_AMBIENT);
    SAME(personality, ADDR_NO_RANDOMIZE);
    SAME(personality, READ_IMPLIES_EXEC);
    SAME(rlimit, RLIMIT_CORE);
    SAME(futex, FUTEX_WAIT_BITSET);
}

TEST(Constants, Kernel) {
    SAME(capability, CAP_SYS_ADMIN);
    SAME(capability, CAP_BPF);
    SAME(capability, CAP_CHECKPOINT_RESTORE);
    SAME(seccomp, SECCOMP_SET_MODE_FILTER);
    SAME(seccomp_flags, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    SAME(bpf, BPF_PROG_LOAD);
    SAME(bpf, BPF_LINK_CREATE);
    SAME(bpf, BPF_RAW_TRACEPOINT_OPEN);
    SAME(perf, PERF_FLAG_FD_CLOEXEC);
    SAME(keyctl, KEYCTL_READ);
    SAME(keyctl, KEYCTL_JOIN_SESSION_KEYRING);
    SAME(keyring, KEY_SPEC_SESSION_KEYRING);
    SAME(kexec, KEXEC_ON_CRASH);
    SAME(kexec_file, KEXEC_FILE_UNLOAD);
    SAME(module, MODULE_INIT_IGNORE_VERMAGIC);
    SAME(reboot_magic, LINUX_REBOOT_MAGIC1);
    SAME(reboot, LINUX_REBOOT_CMD_KEXEC);
    SAME(mount, MS_BIND);
    SAME(mount, MS_REMOUNT);
    SAME(mount, MS_PRIVATE);
    SAME(move_mount, MOVE_MOUNT_F_EMPTY_PATH);
    SAME(fsconfig, FSCONFIG_CMD_CREATE);
    SAME(mount_attr, MOUNT_ATTR_NOSUID);
    SAME(landlock_rule, LANDLOCK_RULE_PATH_BENEATH);
    SAME(io_uring_register, IORING_REGISTER_RESTRICTIONS);
    SAME(io_uring_enter, IORING_ENTER_SQ_WAKEUP);
}

TEST(Constants, Network) {
    SAME(address_family, AF_UNIX);
    SAME(address_family, AF_INET6);
    SAME(address_family, AF_NETLINK);
    SAME(address_family, AF_PACKET);
    SAME(address_family, AF_ALG);
    SAME(address_family, AF_VSOCK);
    SAME(socket_type, SOCK_STREAM);
    SAME(socket_type, SOCK_RAW);
    SAME(socket_type, SOCK_CLOEXEC);
    SAME(ip_protocol, IPPROTO_TCP);
    SAME(ip_protocol, IPPROTO_MPTCP);
    SAME(msg, MSG_PEEK);
    SAME(msg, MSG_NOSIGNAL);
    SAME(sockopt, SO_ATTACH_FILTER);
    SAME(sockopt_level, SOL_SOCKET);
    SAME(shutdown, SHUT_RDWR);
    SAME(socketcall, SYS_SENDMMSG);
}

/// Each error number of this machine's, by the name the C library gives it.
TEST(Constants, EveryErrno) {
    size_t checked = 0;
    for (int error = 1; error < 134; error++) {
        const char* name = strerrorname_np(error);
        if (!name)
            continue;
        checked++;
        EXPECT_EQ(find_constant("errno", name), static_cast<uint64_t>(error)) << name;
    }
    EXPECT_GT(checked, 120u);
}

/// Each signal of this machine's.
TEST(Constants, EverySignal) {
    for (int number = 1; number < 32; number++) {
        const char* name = sigabbrev_np(number);
        ASSERT_NE(name, nullptr) << number;
        EXPECT_EQ(find_constant("signal", std::string("SIG") + name), static_cast<uint64_t>(number));
    }
}

TEST(Constants, UnknownOrAmbiguousNamesHaveNoValue) {
    EXPECT_EQ(find_constant("", "NO_SUCH_NAME"), std::nullopt);
    EXPECT_EQ(find_constant("", ""), std::nullopt);
    EXPECT_EQ(find_constant("mount", "O_RDWR"), std::nullopt) << "known, but not in that set";
    EXPECT_EQ(find_constant("no_such_set", "O_RDWR"), std::nullopt);
    EXPECT_EQ(find_constant("", "O_RDWR"), 2u);
    EXPECT_EQ(find_constant("", "AT_SYMLINK_NOFOLLOW"), 0x100u) << "in several sets, with one value";
    EXPECT_TRUE(constants_of("no_such_set").empty());
}

/// An empty set finds nothing where the sets disagree; today none do, and a row that
/// changes this takes a name away from rules that were written without a set.
TEST(Constants, NoNameHasTwoValues) {
    std::map<std::string_view, uint64_t> values;
    for (const Constant& constant : constants()) {
        auto [entry, is_new] = values.try_emplace(constant.name, constant.value);
        EXPECT_TRUE(is_new || entry->second == constant.value) << constant.name;
    }
}

TEST(Constants, SetsAreWholeAndNamesUniqueInThem) {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    size_t total = 0;
    std::set<std::string_view> sets;
    for (const Constant& constant : constants()) {
        EXPECT_TRUE(seen.emplace(constant.set, constant.name).second) << constant.name;
        sets.insert(constant.set);
    }
    for (std::string_view set : sets)
        for (const Constant& constant : constants_of(set)) {
            EXPECT_EQ(constant.set, set);
            total++;
        }
    EXPECT_EQ(total, constants().size());
}

/// A register argument has 32 bits for flags; see is_32_bit().
TEST(Constants, FitIn32Bits) {
    for (const Constant& constant : constants()) {
        auto value = static_cast<int64_t>(constant.value);
        EXPECT_TRUE(value >= INT32_MIN && value <= UINT32_MAX) << constant.name;
    }
}

} // namespace
