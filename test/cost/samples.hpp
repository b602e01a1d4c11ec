// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace cost_test {

struct Sample {
    std::string name;
    std::vector<std::byte> bytes;
};

/// Records as a shell script makes them: what most events of a busy host look like.
std::vector<Sample> samples();

} // namespace cost_test
