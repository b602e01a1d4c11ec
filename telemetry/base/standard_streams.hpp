// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// A file that is opened while a standard stream is closed gets the number of that stream, and then receives
/// what is written to it. This opens, for each closed stream, a descriptor that cannot be written to. Returns
/// false if that fails.
bool occupy_standard_streams();

} // namespace telemetry
