// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// A file that is opened while a standard stream is closed would get its number, and with it
/// what is written there. A descriptor that cannot be written to is opened in its stead. False: that failed.
bool occupy_standard_streams();

} // namespace telemetry
