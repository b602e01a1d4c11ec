// SPDX-License-Identifier: MIT
#include "telemetry/event/environment.hpp"

#include <algorithm>

namespace telemetry {

EnvironmentNames::EnvironmentNames(std::vector<std::string> names) : names_(std::move(names)) {
    names_.resize(std::min(names_.size(), most));
}

bool EnvironmentNames::contains(std::string_view name) const noexcept {
    return std::ranges::find(names_, name) != names_.end();
}

void EnvironmentNames::reduce(StringList& environment, Buffer& buffer) const noexcept {
    size_t used = 0;
    bool is_cut = environment.status != Status::ok;
    environment.count = 0;
    for (std::string_view rest = environment.bytes; !rest.empty();) {
        const size_t length = std::min(rest.find('\0'), rest.size());
        std::string_view binding = rest.substr(0, length);
        rest.remove_prefix(std::min(length + 1, rest.size()));
        const size_t equals = binding.substr(0, longest_name + 1).find('=');
        if (equals == binding.npos || !contains(binding.substr(0, equals)))
            continue;
        if (binding.size() > equals + 1 + longest_value) {
            binding = binding.substr(0, equals + 1 + longest_value);
            is_cut = true;
        }
        if (used + binding.size() + 1 > buffer.size()) {
            is_cut = true;
            break;
        }
        std::copy(binding.begin(), binding.end(), buffer.begin() + used);
        used += binding.size();
        buffer[used++] = '\0';
        ++environment.count;
    }
    environment.bytes = {buffer.data(), used};
    environment.original_length = static_cast<uint32_t>(used);
    if (is_cut && environment.known()) {
        environment.status = Status::truncated;
        environment.length_is_minimum = true;
    }
}

} // namespace telemetry
