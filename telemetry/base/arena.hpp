// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace telemetry {

/// A buffer of fixed size for the bytes that the views of an event point to. It never grows, so that views
/// into it stay valid, and is emptied for each event. What does not fit is truncated.
class Arena {
  public:
    explicit Arena(size_t capacity) : bytes_(new char[capacity]), capacity_(capacity) {}

    void clear() noexcept { used_ = 0; }
    size_t mark() const noexcept { return used_; }
    std::string_view since(size_t mark) const noexcept { return {bytes_.get() + mark, used_ - mark}; }
    /// Gives up what was appended since then.
    void back_to(size_t mark) noexcept { used_ = mark; }

    void append(char c) noexcept {
        if (used_ < capacity_)
            bytes_[used_++] = c;
    }
    void append(std::string_view text) noexcept {
        size_t length = text.size() < capacity_ - used_ ? text.size() : capacity_ - used_;
        if (length == 0)
            return; // memcpy must not get the null pointer of an empty view
        std::memcpy(bytes_.get() + used_, text.data(), length);
        used_ += length;
    }

  private:
    std::unique_ptr<char[]> bytes_;
    size_t capacity_;
    size_t used_ = 0;
};

} // namespace telemetry
