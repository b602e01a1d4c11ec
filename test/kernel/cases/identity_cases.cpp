// SPDX-License-Identifier: MIT
// Who a process is: ids, names, terminal.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace kernel_test {

namespace {

/// In a child that may lose what it has.
template <typename Action> void in_child(Process& p, Action action) {
    p.wait(p.fork({"fork", SYS_fork}, action));
}

void setuid_(Process& p) {
    in_child(p, [](Process& c) {
        Call call = c.call({"setuid", SYS_setuid}, 3000000001u);
        log_identity& who = c.change();
        who.uid = who.euid = who.suid = who.fsuid = 3000000001u;
        call.succeeds().by(c);
        c.call({"setuid", SYS_setuid}, 0).fails(EPERM);
    });
    in_child(p, [](Process& c) {
        Call call = c.call({"setreuid", SYS_setreuid}, 1001, 1002);
        log_identity& who = c.change();
        who.uid = 1001;
        who.euid = who.suid = who.fsuid = 1002;
        call.succeeds().by(c);
        c.call({"setreuid", SYS_setreuid}, 0, 0).fails(EPERM);
    });
    in_child(p, [](Process& c) {
        Call call = c.call({"setresuid", SYS_setresuid}, 2001, 2002, 2003);
        log_identity& who = c.change();
        who.uid = 2001;
        who.euid = who.fsuid = 2002;
        who.suid = 2003;
        call.succeeds().by(c);
        c.call({"setresuid", SYS_setresuid}, 1, -1, -1).fails(EPERM);
    });
}

void setgid_(Process& p) {
    in_child(p, [](Process& c) {
        Call call = c.call({"setgid", SYS_setgid}, 3000000002u);
        log_identity& who = c.change();
        who.gid = who.egid = who.sgid = who.fsgid = 3000000002u;
        call.succeeds().by(c);
    });
    in_child(p, [](Process& c) {
        Call call = c.call({"setregid", SYS_setregid}, 1001, 1002);
        log_identity& who = c.change();
        who.gid = 1001;
        who.egid = who.sgid = who.fsgid = 1002;
        call.succeeds().by(c);
    });
    in_child(p, [](Process& c) {
        Call call = c.call({"setresgid", SYS_setresgid}, 2001, 2002, 2003);
        log_identity& who = c.change();
        who.gid = 2001;
        who.egid = who.fsgid = 2002;
        who.sgid = 2003;
        call.succeeds().by(c);
    });
    in_child(p, [](Process& c) {
        c.drop_privileges();
        c.call({"setgid", SYS_setgid}, 0).fails(EPERM);
        c.call({"setregid", SYS_setregid}, 0, 0).fails(EPERM);
        c.call({"setresgid", SYS_setresgid}, 0, 0, 0).fails(EPERM);
        c.call({"setgroups", SYS_setgroups}, 0, 0).fails(EPERM);
    });
}

/// All eight ids differ, the file system's by calls that have no event here.
void all_ids(Process& p) {
    in_child(p, [](Process& c) {
        raw_syscall(SYS_setfsgid, 28);
        c.change().fsgid = 28;
        c.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
        Call group = c.call({"setresgid", SYS_setresgid}, 22, 24, 26);
        log_identity& with_group = c.change();
        with_group.gid = 22, with_group.egid = with_group.fsgid = 24, with_group.sgid = 26;
        group.succeeds().by(c);
        raw_syscall(SYS_setfsgid, 28);
        c.change().fsgid = 28;
        Call user = c.call({"setresuid", SYS_setresuid}, 21, 23, 25);
        log_identity& with_user = c.change();
        with_user.uid = 21, with_user.euid = with_user.fsuid = 23, with_user.suid = 25;
        user.succeeds().by(c);
        raw_syscall(SYS_setfsuid, 21);
        c.change().fsuid = 21;
        c.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
    });
}

void setgroups_(Process& p) {
    const uint32_t groups[] = {1, 70000, 3};
    p.call({"setgroups", SYS_setgroups}, 3, groups).succeeds();
    p.call({"setgroups", SYS_setgroups}, 1 << 20, groups).fails(EINVAL);
    p.call({"setgroups", SYS_setgroups}, 3, 16).fails(EFAULT);
}

void capset_(Process& p) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    raw_syscall(SYS_capget, register_value(&header), register_value(data));
    p.call({"capset", SYS_capset}, &header, data).succeeds();
    __user_cap_header_struct wrong{12345, 0};
    p.call({"capset", SYS_capset}, &wrong, data).fails(EINVAL);
}

void personality_(Process& p) {
    p.call({"personality", SYS_personality}, 0xffffffffu).succeeds();
    p.call({"personality", SYS_personality}, ADDR_NO_RANDOMIZE).succeeds();
}

/// prctl changes the name from the next event on.
void comm(Process& p) {
    for (const char* name : {"short", "exactly fifteen", "far more than fifteen bytes", ""}) {
        raw_syscall(SYS_prctl, PR_SET_NAME, register_value(name));
        log_identity& who = p.change();
        log_string(who.comm, sizeof who.comm, name);
        p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, "/no");
    }
}

/// A terminal is of the session; it is reported with the image, hence of what is executed under it.
void terminal(Process& p) {
    Call open_ptmx = p.call({"open", SYS_open}, "/dev/ptmx", O_RDWR | O_NOCTTY);
    const int ptmx = static_cast<int>(open_ptmx.ret());
    if (ptmx < 0) {
        open_ptmx.named(0, "/dev/ptmx");
        return p.note("terminal: there are no pseudo terminals");
    }
    char target[64] = "";
    const std::string link = "/proc/self/fd/" + std::to_string(ptmx);
    raw_syscall(SYS_readlinkat, register_value(AT_FDCWD), register_value(link.c_str()),
                register_value(target), sizeof target - 1);
    open_ptmx.opened(0, target);
    int number = -1, unlock = 0;
    p.call({"ioctl", SYS_ioctl}, ptmx, TIOCSPTLCK, &unlock).succeeds().file(0, ptmx, target);
    p.call({"ioctl", SYS_ioctl}, ptmx, TIOCGPTN, &number).succeeds().file(0, ptmx, target);
    const std::string name = "pts" + std::to_string(number);
    const std::string helper = p.program("kernel_test_helper");
    const Program program{helper, {"at a terminal", "exit", "0"}};
    const auto argv = pointers(program.argv);
    in_child(p, [&](Process& c) {
        raw_syscall(SYS_setsid);
        const std::string path = "/dev/pts/" + std::to_string(number);
        Call open_pts = c.call({"open", SYS_open}, path.c_str(), O_RDWR);
        c.set_text(c.change().tty, name);
        open_pts.succeeds().by(c).opened(0, path);
        c.exec({"execve", SYS_execve}, program, 0, helper.c_str(), argv.data(), no_environment).succeeds();
    });
}

} // namespace

Cases identity_cases() {
    return {
        {"setuid", setuid_},  {"setgid", setgid_},
        {"all_ids", all_ids}, {"setgroups", setgroups_},
        {"capset", capset_},  {"personality", personality_},
        {"comm", comm},       {"terminal", terminal, false},
    };
}

} // namespace kernel_test
