// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// Sets this process's priority, as setpriority(2) takes it: -20 to 19. Threads that it
/// makes later have it too. Says so in the log where that is not allowed (CAP_SYS_NICE).
void set_priority(int nice);

} // namespace telemetry
