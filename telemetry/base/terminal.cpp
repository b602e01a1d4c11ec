// SPDX-License-Identifier: MIT
#include "telemetry/base/terminal.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace telemetry {

bool has_controlling_terminal() {
    const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool is_terminal() {
    return isatty(STDOUT_FILENO) == 1;
}

bool is_error_terminal() {
    return isatty(STDERR_FILENO) == 1;
}

unsigned terminal_columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool terminal_has_colours() {
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return is_terminal() && !(no_colour && *no_colour) && !(terminal && terminal == std::string_view("dumb"));
}

} // namespace telemetry
