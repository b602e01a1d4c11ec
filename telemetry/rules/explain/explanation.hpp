// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "telemetry/rules/builder.hpp"

namespace telemetry::rules {

/// What --explain prints: of each rule what the kernel compares and what the program, and of each call what
/// that comes to and costs.
class Explanation {
  public:
    explicit Explanation(const SourceText& source) : source_(source) {}

    /// A statement that a Builder was given.
    void add(const Statement& statement);
    /// All of them, and the filters they have become.
    std::string text(const std::vector<Builder::Entry>& entries) const;

  private:
    /// Comparisons as they are written, by where they are decided.
    struct Sides {
        std::vector<std::string> kernel, program;
    };

    std::string line_of(const Statement& statement) const;
    Sides sides_of(const Statement& statement) const;

    const SourceText& source_;
    std::string rules_;
    std::string last_place_; ///< whose text was shown last
};

} // namespace telemetry::rules
