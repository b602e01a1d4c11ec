// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// What the call did with the `index`-th of its paths, in the kernel's words: NORMAL, CREATE, DELETE; UNKNOWN
/// where it did nothing, or nobody knows. The kernel's PARENT, a record of its own for the folder that
/// something is made in or removed from, has nothing that is known here.
std::string_view audit_name_type(const Event& event, size_t index);

/// IORING_OP_* of the operation that is like the call, or -1.
int uring_operation(std::string_view call);

} // namespace telemetry
