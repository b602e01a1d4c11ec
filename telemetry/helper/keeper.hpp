// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include "telemetry/helper/helper.hpp"

namespace telemetry {

/// What the keeper sends for each packet that it gets, together with the socket of a new helper.
struct KeeperAnswer {
    int status = 0; ///< of the helper before, as waitpid(2) has it
    bool had_ended = false;
};

/// The life of the keeper, a child of `parent`: it gives up its rights, and starts and ends helpers as it is
/// asked to by the channel, until that is closed.
[[noreturn]] void keep_helpers(Channel& asked, const Helper::Work& work, const Helper::Limits& limits,
                               pid_t parent);

} // namespace telemetry
