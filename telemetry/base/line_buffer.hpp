// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace telemetry {

constexpr char hex_digits[] = "0123456789abcdef";

/// Builds a line. Formatting is on the hot path, so each write is one comparison and a copy, and the memory
/// is reused for the next line.
class LineBuffer {
  public:
    LineBuffer() : begin_(new char[first_size]), position_(begin_.get()), end_(begin_.get() + first_size) {}

    void clear() { position_ = begin_.get(); }
    std::string_view view() const { return {begin_.get(), static_cast<size_t>(position_ - begin_.get())}; }

    /// Returns room for at least `bytes` more bytes. The caller writes there and then calls advance_to().
    char* room(size_t bytes) {
        if (static_cast<size_t>(end_ - position_) < bytes)
            grow(bytes);
        return position_;
    }
    void advance_to(char* position) { position_ = position; }

    void put(char c) {
        *room(1) = c;
        ++position_;
    }
    template <size_t N> void put(const char (&literal)[N]) { put_bytes(literal, N - 1); }
    void put(std::string_view bytes) { put_bytes(bytes.data(), bytes.size()); }

    void put_decimal(uint64_t value) {
        if (value < 10)
            put(static_cast<char>('0' + value));
        else
            put_long_decimal(value);
    }
    void put_signed(int64_t value);
    void put_hex(uint64_t value);   ///< lower case, no prefix, no leading zeroes
    void put_octal(uint64_t value); ///< no prefix, no leading zeroes
    void put_hex_bytes(std::string_view bytes);

    /// The last byte written, or '\0' if the line is empty.
    char last() const { return position_ == begin_.get() ? '\0' : position_[-1]; }
    /// Truncates the line to `length` bytes.
    void cut(size_t length) { position_ = begin_.get() + length; }

  private:
    static constexpr size_t first_size = 8192;

    void put_bytes(const char* bytes, size_t count) {
        char* to = room(count);
        if (count) // memcpy must not get the null pointer of an empty view
            std::memcpy(to, bytes, count);
        position_ = to + count;
    }
    void put_long_decimal(uint64_t value);
    void grow(size_t bytes);

    std::unique_ptr<char[]> begin_;
    char* position_;
    char* end_;
};

/// Writes "2026-11-21T21:16:05.000000042Z"; remembers the part that changes once a second.
class Timestamp {
  public:
    static constexpr size_t length = 30;
    void put(LineBuffer& line, uint64_t ns_since_epoch);

  private:
    void remember(uint64_t second);

    uint64_t second_ = UINT64_MAX;
    char text_[20] = {}; ///< up to and including the decimal point
};

} // namespace telemetry
