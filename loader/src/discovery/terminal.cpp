// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t signal_to_tty_bytes = 2048;
constexpr size_t tty_bytes = 2048;

/// The controlling end of a new pseudo terminal.
struct Master {
    uint64_t fd;
    std::string terminals; ///< the directory that the other end is in
};

Master open_master(HelperProcess& helper, const std::string& own_devpts) {
    const std::pair<std::string, std::string> places[] = {
        {"/dev/ptmx", "/dev/pts"}, {"/dev/pts/ptmx", "/dev/pts"}, {own_devpts + "/ptmx", own_devpts}};
    for (const auto& [path, terminals] : places) {
        const int64_t fd =
            helper.call(SYS_openat, as_argument(AT_FDCWD), helper.text(path), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
            return {static_cast<uint64_t>(fd), terminals};
    }
    throw Unobservable("no pseudo terminal can be opened");
}

/// The other end: from the kernel, or by its name before Linux 4.13.
uint64_t open_terminal(HelperProcess& helper, const Master& master, const std::string& number) {
    constexpr uint64_t flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    int64_t fd = helper.call(SYS_ioctl, master.fd, TIOCGPTPEER, flags);
    if (fd < 0)
        fd = helper.must("opening a terminal", SYS_openat, as_argument(AT_FDCWD),
                         helper.text(master.terminals + "/" + number), flags);
    return static_cast<uint64_t>(fd);
}

/// A session of its own on a new terminal.
struct Session {
    explicit Session(Setup& s) : helper(s.worker.spawn()) {
        helper.must("setsid", SYS_setsid);
        const Master master = open_master(helper, s.in_scratch("pts"));
        const int unlocked = 0;
        auto* lock = static_cast<int*>(helper.room(sizeof(int)));
        *lock = unlocked;
        helper.must("unlocking a terminal", SYS_ioctl, master.fd, TIOCSPTLCK, as_argument(lock));
        auto* number = static_cast<unsigned*>(helper.room(sizeof(unsigned)));
        helper.must("reading the number of a terminal", SYS_ioctl, master.fd, TIOCGPTN, as_argument(number));
        const std::string digits = std::to_string(*number);
        name = "pts" + digits;
        helper.must("taking a controlling terminal", SYS_ioctl, open_terminal(helper, master, digits),
                    TIOCSCTTY, 0);
        shared = s.through(helper, "task_struct.signal", signal_to_tty_bytes);
    }
    HelperProcess& helper;
    std::string name; ///< as the driver calls it
    Block shared;
};

std::vector<uint32_t> names_in(const Block& tty, const std::string& name) {
    return places_if({&tty}, 1, [&](size_t offset) {
        return tty.has(offset, name.size() + 1) &&
               memcmp(tty.bytes.data() + offset, name.c_str(), name.size() + 1) == 0;
    });
}

} // namespace

void discover_terminal(Setup& s) {
    s.worker.must("making a directory", SYS_mkdirat, as_argument(AT_FDCWD),
                  s.worker.text(s.in_scratch("pts")), 0755);
    s.worker.call(SYS_mount, s.worker.text("none"), s.worker.text(s.in_scratch("pts")),
                  s.worker.text("devpts"), 0,
                  s.worker.text("newinstance,ptmxmode=0666")); // there may be none in this container
    const Session first(s), second(s);
    std::vector<uint32_t> pointers, names;
    const Block without = s.through(s.children[0][0], "task_struct.signal", signal_to_tty_bytes);
    for (uint32_t pointer : places_if({&first.shared, &second.shared}, 8, [&](size_t offset) {
             const auto a = first.shared.at<uint64_t>(offset), b = second.shared.at<uint64_t>(offset);
             return is_heap_pointer(a) && is_heap_pointer(b) && a != b && without.at<uint64_t>(offset) != a;
         })) {
        const Block a = s.memory.read(first.shared.at<uint64_t>(pointer), tty_bytes);
        const Block b = s.memory.read(second.shared.at<uint64_t>(pointer), tty_bytes);
        const auto in_a = names_in(a, first.name), in_b = names_in(b, second.name);
        for (uint32_t name : in_a)
            if (std::find(in_b.begin(), in_b.end(), name) != in_b.end()) {
                pointers.push_back(pointer);
                names.push_back(name);
            }
    }
    s.found.settle("signal_struct.tty", pointers);
    s.found.settle("tty_struct.name", names);
}

} // namespace ebpf_loader::discovery
