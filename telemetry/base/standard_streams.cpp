// SPDX-License-Identifier: MIT
#include "telemetry/base/standard_streams.hpp"

#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace telemetry {

bool occupy_standard_streams() {
    for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(stream, F_GETFD) < 0 && open("/", O_RDONLY | O_DIRECTORY) != stream)
            return false;
    return true;
}

} // namespace telemetry
