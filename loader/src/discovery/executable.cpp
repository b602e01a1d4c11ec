// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/executable.hpp"

#include "loader/src/arch/x86/tiny_executable.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

/// The program's descriptors, which survive its executions.
enum { orders_fd = 200, news_fd = 201, program_file_fd = 202 };

constexpr uint8_t code[] = {0xb8, 1,
                            0,    0,
                            0, // mov eax, write
                            0xbf, news_fd,
                            0,    0,
                            0, // mov edi, news
                            0x48, 0x89,
                            0xe6, // mov rsi, rsp
                            0xba, 1,
                            0,    0,
                            0,          // mov edx, 1
                            0x0f, 0x05, // syscall
                            0x31, 0xc0, // xor eax, eax (read)
                            0xbf, orders_fd,
                            0,    0,
                            0, // mov edi, orders
                            0x48, 0x8d,
                            0x74, 0x24,
                            0xf0, // lea rsi, [rsp - 16]
                            0xba, 1,
                            0,    0,
                            0,          // mov edx, 1
                            0x0f, 0x05, // syscall
                            0x83, 0xf8,
                            1,        // cmp eax, 1
                            0x75, 33, // jne quit
                            0xb8, 0x42,
                            1,    0,
                            0, // mov eax, execveat
                            0xbf, program_file_fd,
                            0,    0,
                            0, // mov edi, the program
                            0x48, 0x8d,
                            0x35, 28,
                            0,    0,
                            0, // lea rsi, [rip + the empty string]
                            0x48, 0x8d,
                            0x54, 0x24,
                            8, // lea rdx, [rsp + 8] (argv)
                            0x45, 0x31,
                            0xd2, // xor r10d, r10d
                            0x41, 0xb8,
                            0,    0x10,
                            0,    0,    // mov r8d, AT_EMPTY_PATH
                            0x0f, 0x05, // syscall
                            0xb8, 231,
                            0,    0,
                            0, // quit: mov eax, exit_group
                            0xbf, 1,
                            0,    0,
                            0,          // mov edi, 1
                            0x0f, 0x05, // syscall
                            0};         // the empty string

/// Writes the program into the workshop, once, and keeps it open.
void write_program(Scene& s) {
    if (s.program_fd >= 0)
        return;
    const auto program = tiny_executable(code);
    const std::string path = s.in_workshop(program_name);
    const uint64_t fd = as_argument(s.open(path, O_WRONLY | O_CREAT));
    const uint64_t bytes =
        s.actor.text(std::string_view(reinterpret_cast<const char*>(program.data()), program.size()));
    s.actor.must("writing a program", SYS_write, fd, bytes, program.size());
    s.actor.must("making it executable", SYS_fchmod, fd, 0755);
    s.actor.must("closing it", SYS_close, fd); // none that is open for writing can be executed
    s.program_fd = s.open(path, O_RDONLY);
}

} // namespace

Executed::Pipes::Pipes(Puppet& owner) {
    for (int* pipe : {orders, news}) {
        auto* ends = static_cast<int*>(owner.room(2 * sizeof(int)));
        owner.must("a pipe", SYS_pipe2, as_argument(ends), O_CLOEXEC);
        std::copy(ends, ends + 2, pipe);
    }
}

Executed::Executed(Scene& scene) : scene_(scene), pipes_(scene.actor), process_(scene.actor.spawn()) {
    write_program(scene);
    const int program =
        static_cast<int>(process_.must("opening a program", SYS_openat, as_argument(AT_FDCWD),
                                       process_.text(scene.in_workshop(program_name)), O_RDONLY | O_CLOEXEC));
    const int ends[] = {pipes_.orders[0], pipes_.news[1], program};
    int moved[3]; // out of the way first: one of them may have a number that is wanted
    for (int i = 0; i < 3; i++)
        moved[i] = static_cast<int>(process_.must("moving a descriptor", SYS_fcntl, as_argument(ends[i]),
                                                  F_DUPFD_CLOEXEC, program_file_fd + 1));
    for (int i = 0; i < 3; i++)
        process_.must("moving a descriptor", SYS_dup2, as_argument(moved[i]), as_argument(orders_fd + i));
    scene.actor.call(SYS_close, as_argument(pipes_.orders[0]));
    scene.actor.call(SYS_close, as_argument(pipes_.news[1]));
}

void Executed::execute(std::string_view name) {
    if (started_) {
        scene_.actor.must("writing to a pipe", SYS_write, as_argument(pipes_.orders[1]),
                          scene_.actor.text("x"), 1);
    } else {
        auto* argv = static_cast<uint64_t*>(process_.room(2 * sizeof(uint64_t)));
        argv[0] = process_.text(name);
        process_.begin(SYS_execveat, program_file_fd, process_.text(""), as_argument(argv), 0, AT_EMPTY_PATH);
    }
    started_ = true;
    await_start();
}

void Executed::await_start() {
    constexpr uint64_t patience_ms = 5000;
    auto* news = static_cast<pollfd*>(scene_.actor.room(sizeof(pollfd)));
    *news = {.fd = pipes_.news[0], .events = POLLIN, .revents = 0};
    if (scene_.actor.call(SYS_poll, as_argument(news), 1, patience_ms) != 1 ||
        scene_.actor.call(SYS_read, as_argument(pipes_.news[0]), scene_.actor.text(" "), 1) != 1)
        throw Unobservable("a small program cannot be executed");
}

} // namespace ebpf_loader::discovery
