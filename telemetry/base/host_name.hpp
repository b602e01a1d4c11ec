// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <unistd.h>

namespace telemetry {

/// Of this machine, as gethostname(2) says it now; empty when it is not known.
inline std::string host_name() {
    char name[256] = "";
    gethostname(name, sizeof(name) - 1);
    return name;
}

} // namespace telemetry
