// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/executable.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/arch/tiny_executable.hpp"

#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

/// Writes the program into the scratch directory, once, and keeps it open.
void write_program(Setup& s) {
    if (s.program_fd >= 0)
        return;
    const auto program = tiny_executable(machine::reexec_program());
    const std::string path = s.in_scratch(program_name);
    const uint64_t fd = as_argument(s.open(path, O_WRONLY | O_CREAT));
    const uint64_t bytes =
        s.worker.text(std::string_view(reinterpret_cast<const char*>(program.data()), program.size()));
    s.worker.must("writing a program", SYS_write, fd, bytes, program.size());
    s.worker.must("making it executable", SYS_fchmod, fd, 0755);
    s.worker.must("closing it", SYS_close, fd); // none that is open for writing can be executed
    s.program_fd = s.open(path, O_RDONLY);
}

} // namespace

Executed::Pipes::Pipes(HelperProcess& owner) {
    for (int* pipe : {orders, news}) {
        auto* ends = static_cast<int*>(owner.room(2 * sizeof(int)));
        owner.must("a pipe", SYS_pipe2, as_argument(ends), O_CLOEXEC);
        std::copy(ends, ends + 2, pipe);
    }
}

Executed::Executed(Setup& setup) : setup_(setup), pipes_(setup.worker), process_(setup.worker.spawn()) {
    write_program(setup);
    const int program =
        static_cast<int>(process_.must("opening a program", SYS_openat, as_argument(AT_FDCWD),
                                       process_.text(setup.in_scratch(program_name)), O_RDONLY | O_CLOEXEC));
    const int ends[] = {pipes_.orders[0], pipes_.news[1], program};
    int moved[3]; // out of the way first: one of them may have a number that is wanted
    for (int i = 0; i < 3; i++)
        moved[i] = static_cast<int>(process_.must("moving a descriptor", SYS_fcntl, as_argument(ends[i]),
                                                  F_DUPFD_CLOEXEC, EBT_PROGRAM_FD + 1));
    for (int i = 0; i < 3; i++)
        process_.must("moving a descriptor", SYS_dup3, as_argument(moved[i]), as_argument(EBT_ORDERS_FD + i),
                      0);
    setup.worker.call(SYS_close, as_argument(pipes_.orders[0]));
    setup.worker.call(SYS_close, as_argument(pipes_.news[1]));
}

void Executed::execute(std::string_view name) {
    if (started_) {
        setup_.worker.must("writing to a pipe", SYS_write, as_argument(pipes_.orders[1]),
                           setup_.worker.text("x"), 1);
    } else {
        auto* argv = static_cast<uint64_t*>(process_.room(2 * sizeof(uint64_t)));
        argv[0] = process_.text(name);
        process_.begin(SYS_execveat, EBT_PROGRAM_FD, process_.text(""), as_argument(argv), 0, AT_EMPTY_PATH);
    }
    started_ = true;
    await_start();
}

void Executed::await_start() {
    auto* patience = static_cast<timespec*>(setup_.worker.room(sizeof(timespec)));
    patience->tv_sec = 5;
    auto* news = static_cast<pollfd*>(setup_.worker.room(sizeof(pollfd)));
    *news = {.fd = pipes_.news[0], .events = POLLIN, .revents = 0};
    if (setup_.worker.call(SYS_ppoll, as_argument(news), 1, as_argument(patience), 0) != 1 ||
        setup_.worker.call(SYS_read, as_argument(pipes_.news[0]), setup_.worker.text(" "), 1) != 1)
        throw Unobservable("a small program cannot be executed");
}

} // namespace ebpf_loader::discovery
