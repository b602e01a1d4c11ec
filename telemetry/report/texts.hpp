// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace telemetry::report {

/// Every text of a page once, escaped as in the text format: what a process wrote cannot turn the direction
/// of writing, hide, or end a line. A number stands for each; 0 is the empty one.
class Texts {
  public:
    /// Longer ones are cut, with "..." behind: the event's JSON has all of it.
    static constexpr size_t longest = 4096;

    Texts() { number_of(""); }

    uint32_t number_of(std::string_view text);
    const std::vector<std::string>& all() const { return all_; }

  private:
    std::vector<std::string> all_;
    std::unordered_map<std::string, uint32_t> numbers_; ///< by the text before it is escaped
};

} // namespace telemetry::report
