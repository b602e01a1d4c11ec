// SPDX-License-Identifier: MIT
#include "telemetry/base/priority.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/resource.h>

#include "telemetry/base/log.hpp"

namespace telemetry {

void set_priority(int nice) {
    errno = 0;
    if (getpriority(PRIO_PROCESS, 0) == nice && errno == 0)
        return;
    if (setpriority(PRIO_PROCESS, 0, nice) != 0)
        log(LogLevel::warning, "cannot set the priority (--nice): " + std::string(strerror(errno)) +
                                   "; on a busy machine events may be lost");
}

} // namespace telemetry
