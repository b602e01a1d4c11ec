// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace telemetry {

/// User names by id, read from a passwd file once: asking the system's name services for each
/// event could take seconds.
class UserNames {
  public:
    UserNames() = default;
    /// Nothing is known when the file cannot be read.
    explicit UserNames(const std::string& passwd_file);

    /// Empty when the id has no name.
    std::string_view name_of(uint32_t uid) const;
    size_t size() const { return names_.size(); }

  private:
    void add(std::string_view line);

    std::unordered_map<uint32_t, std::string> names_;
};

} // namespace telemetry
