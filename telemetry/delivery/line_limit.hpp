// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// Keeps lines of JSON that formatters of this program made within a number of bytes. In a longer line the
/// longest arguments are shortened first (process.args, command lines, environments, and the raw bytes of all
/// fields), then any other long text; the line stays one whole object, and linux.telemetry.truncated lists
/// what was cut. Only lines that are too long cost more than a comparison: time in proportion to their
/// length.
class LineLimit {
  public:
    /// What is in a line besides texts that can be cut always fits into this.
    static constexpr size_t least = 8 << 10;

    /// 0: lines are as long as they are.
    explicit LineLimit(size_t most) : most_(most) {}

    /// The line itself, or a shorter one that is valid until the next call.
    std::string_view fit(std::string_view line) {
        return most_ == 0 || line.size() <= most_ ? line : shortened(line);
    }

  private:
    /// The inside of a string, or of an array that is cut between its elements.
    struct Part {
        size_t begin, end;
        bool is_list, is_argument;
        std::string name; ///< of the field, as linux.telemetry.truncated has it

        size_t size() const { return end - begin; }
    };
    /// Where a note of what was cut can stand: the innermost of linux, linux.telemetry and its list that is
    /// there.
    struct Place {
        int depth = 0; ///< how many of the three are there
        size_t at = 0; ///< behind the brace or bracket
        bool is_empty = false;
        std::string_view listed; ///< inside of the list; what is noted already is not noted twice
    };
    class Scan;

    std::string_view shortened(std::string_view line);
    size_t cap(bool of_arguments, size_t excess);
    void put_cut(std::string_view line, const Part& part, size_t most);
    void note(std::string_view line, const Part& part);
    void put_notes(const Place& place);

    size_t most_;
    std::vector<Part> parts_;
    std::vector<size_t> sizes_;
    std::string line_, notes_;
};

} // namespace telemetry
