// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

/// SGR parameters of a terminal.
namespace colour {
inline constexpr std::string_view none, dim = "2", bold = "1", failure = "1;31", privilege = "1;33",
                                        container = "36";
} // namespace colour

/// A line for a screen of so many columns. What others choose is escaped, and cut where the room ends;
/// colours are this program's alone, and end with what they are for.
class ScreenLine {
  public:
    /// 0 columns: the line may have any length.
    void clear(size_t columns, bool is_coloured);
    size_t used() const { return used_; }
    /// How many columns are left.
    size_t room() const {
        if (!columns_)
            return SIZE_MAX / 2;
        return columns_ > used_ + reserved_ ? columns_ - used_ - reserved_ : 0;
    }
    /// Keeps so many columns for what comes last, until release().
    void reserve(size_t columns) { reserved_ = columns; }
    void release() { reserved_ = 0; }

    /// Words of this program, in ASCII.
    void put(std::string_view words, std::string_view in = colour::none);
    /// Text of others, in quotes if it is more than one plain word; at most `room` columns of it, of which
    /// the last is … if some is missing.
    void put_text(std::string_view bytes, size_t room, std::string_view in = colour::none);
    void put_number(int64_t value);
    /// Something is left out here.
    void put_ellipsis();
    /// Blanks up to that column.
    void pad_to(size_t column);

    std::string_view end();

    /// How many columns a terminal needs for a character, or more.
    static size_t columns_of(uint32_t code_point) { return code_point < 0x1100 ? 1 : 2; }
    /// Of UTF-8 that is valid.
    static size_t width(std::string_view text);

  private:
    void begin_colour(std::string_view in);
    void end_colour(std::string_view in);
    void append(std::string_view text, size_t most);
    void append_ascii(std::string_view text, size_t most);
    void append_wide(std::string_view text, size_t most);

    LineBuffer line_, escaped_;
    size_t columns_ = 0, used_ = 0, reserved_ = 0;
    bool is_coloured_ = false;
};

} // namespace telemetry
