// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// The variables of processes' environments that rules ask for. An environment is the process's own:
/// what is taken from it is bounded, and what was cut is marked.
class EnvironmentNames {
  public:
    static constexpr size_t most = 32;            ///< names
    static constexpr size_t longest_name = 64;    ///< bytes
    static constexpr size_t longest_value = 1024; ///< bytes that are kept of each
    static constexpr size_t most_bytes = 8192;    ///< that are kept of one environment
    using Buffer = std::array<char, most_bytes>;

    EnvironmentNames() = default;
    /// At most `most` names.
    explicit EnvironmentNames(std::vector<std::string> names);
    bool empty() const { return names_.empty(); }
    bool operator==(const EnvironmentNames&) const = default;

    /// Reduces an environment to the variables asked for, each as "NAME=VALUE" and NUL, in the order in
    /// which they are there, all of a name that is there more than once. The bytes are in `buffer` then.
    void reduce(StringList& environment, Buffer& buffer) const noexcept;

  private:
    bool contains(std::string_view name) const noexcept;

    std::vector<std::string> names_;
};

} // namespace telemetry
