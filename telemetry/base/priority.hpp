// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// Sets the nice value of this process, from -20 to 19; threads that it starts later inherit it. Logs a
/// warning if that is not allowed (CAP_SYS_NICE).
void set_priority(int nice);

} // namespace telemetry
