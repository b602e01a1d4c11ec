// SPDX-License-Identifier: MIT
// What a service manager is sent by a real run.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;

namespace {

/// The end of the run makes it give up, like everything that never comes.
std::string next_state(int fd) {
    char text[128];
    const ssize_t size = recv(fd, text, sizeof(text), 0);
    return size < 0 ? "nothing" : std::string(text, static_cast<size_t>(size));
}

TEST_F(Run, TheServiceManagerHearsOfStartLifeAndEnd) {
    const std::string name = "ebpf_telemetry_test." + std::to_string(getpid());
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
              0);
    const timeval longest{20, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
    setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    RunningProgram program(arguments({}));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    EXPECT_EQ(next_state(fd), "READY=1\nSTATUS=reporting");
    EXPECT_EQ(next_state(fd), "WATCHDOG=1");
    EXPECT_EQ(next_state(fd), "WATCHDOG=1"); // again and again
    program.send(SIGTERM);
    std::string state = next_state(fd);
    if (state == "WATCHDOG=1")
        state = next_state(fd);
    EXPECT_EQ(state, "STOPPING=1");
    EXPECT_EQ(program.wait(), 0);
    close(fd);
}

} // namespace
