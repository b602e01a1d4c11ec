// SPDX-License-Identifier: MIT
#include "telemetry/base/notify.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace telemetry::notify {

void send(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (!path || (path[0] != '/' && path[0] != '@'))
        return;
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const size_t length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; // a name of the abstract namespace
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
    close(fd);
}

void send_reloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    constexpr int64_t million = 1'000'000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * million + now.tv_nsec / 1000));
}

bool is_watched() {
    const char* period = std::getenv("WATCHDOG_USEC");
    const char* pid = std::getenv("WATCHDOG_PID");
    return period && (!pid || pid == std::to_string(getpid()));
}

} // namespace telemetry::notify
