// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// Optimal string alignment: how many letters were mistyped, left out, added or swapped. The work is the
/// product of the lengths.
size_t edit_distance(std::string_view a, std::string_view b);

/// "; did you mean ...?" with the candidate nearest to `word`, empty when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace telemetry
