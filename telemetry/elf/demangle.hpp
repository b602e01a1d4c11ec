// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "telemetry/elf/work_budget.hpp"

namespace telemetry {

/// "void f(int)" of "_Z1fi"; any other name stays as it is. Names come out of any file: one that could
/// grow far beyond what is shown is left alone too, and a long one is cut.
std::string demangled(const std::string& name, WorkBudget& budget);

/// How long a mangled name may become at most. A name may refer to parts
/// of itself, and they to parts of themselves: so it grows exponentially.
size_t demangled_bound(std::string_view name);
inline constexpr size_t longest_demangled = 1u << 20;

} // namespace telemetry
