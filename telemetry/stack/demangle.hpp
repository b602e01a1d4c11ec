// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace telemetry {

/// "void f(int)" of "_Z1fi"; any other name stays as it is. Names come out of any file: one that could
/// grow without end is left alone too, and a long one is cut.
std::string demangled(const std::string& name);

} // namespace telemetry
