// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// A file that is opened while a standard stream is closed would get its number, and with it
/// what is written there. Something that takes no writing holds the place. False: that failed.
bool occupy_standard_streams();

} // namespace telemetry
