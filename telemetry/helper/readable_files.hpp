// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// From now on this process opens, by Landlock, no files but those by which names of hosts are resolved, and
/// these for reading; where Landlock is not there (before Linux 5.13) all that its user may read. False: the
/// kernel refuses.
bool keep_files_of_names();

} // namespace telemetry
