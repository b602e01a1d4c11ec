// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "telemetry/cli/options.hpp"

/// Where the outputs lead that are of this kind.
inline std::vector<std::string> targets(const telemetry::Options& options, const telemetry::SinkKind& kind) {
    std::vector<std::string> all;
    for (const telemetry::Destination& output : options.outputs)
        if (output.kind == &kind)
            all.push_back(output.target);
    return all;
}

inline bool has(const telemetry::Options& options, const telemetry::SinkKind& kind) {
    return !targets(options, kind).empty();
}
