// SPDX-License-Identifier: MIT
#pragma once
#include <set>
#include <string>
#include <vector>

#include "telemetry/rights/capabilities.hpp"

namespace telemetry {

/// What a run still needs once its hooks are attached.
struct NeededRights {
    CapabilityMask capabilities = 0;
    std::vector<std::string> files; ///< that may be opened anew, and made where they are gone
};

/// Gives up all others, for good and in all threads: capabilities, privileges by executing something, what a
/// debugger could do, and system calls (docs/security.md). Logs what is kept and what could not be given up.
void give_up_rights(const NeededRights& needed);

/// The file, or its folder, is another user's, so that making it anew takes CAP_DAC_OVERRIDE.
bool needs_override(const std::string& file);

/// Logs the system calls that were refused since the last time, each once.
class RefusedCalls {
  public:
    void log_new();

  private:
    std::set<std::string> logged_;
};

} // namespace telemetry
