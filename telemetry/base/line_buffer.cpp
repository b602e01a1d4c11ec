// SPDX-License-Identifier: MIT
#include "telemetry/base/line_buffer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

namespace telemetry {
namespace {

/// The digits "00" to "99", so that one division makes two digits.
constexpr auto pairs = [] {
    std::array<char, 200> table{};
    for (size_t i = 0; i < 100; ++i) {
        table[2 * i] = static_cast<char>('0' + i / 10);
        table[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return table;
}();

void put_pair(char* to, uint64_t value) {
    std::memcpy(to, &pairs[2 * value], 2);
}

/// The digits "00" to "ff".
constexpr auto hex_pairs = [] {
    std::array<char, 512> table{};
    for (size_t i = 0; i < 256; ++i) {
        table[2 * i] = hex_digits[i >> 4];
        table[2 * i + 1] = hex_digits[i & 15];
    }
    return table;
}();

constexpr auto powers_of_ten = [] {
    std::array<uint64_t, 20> table{1};
    for (size_t i = 1; i < table.size(); ++i)
        table[i] = table[i - 1] * 10;
    return table;
}();

/// The number of decimal digits of a number: 1233 / 4096 is just above log10(2).
unsigned decimal_digits(uint64_t value) {
    const unsigned about = static_cast<unsigned>(std::bit_width(value | 1)) * 1233 >> 12;
    return about + (value >= powers_of_ten[about]);
}

/// Writes backwards from `end`. The value has 32 bits, for which division by a constant is cheap.
void put_digits_before(char* end, uint32_t value) {
    while (value >= 100) {
        put_pair(end -= 2, value % 100);
        value /= 100;
    }
    if (value >= 10)
        put_pair(end - 2, value);
    else
        end[-1] = static_cast<char>('0' + value);
}

/// Writes a number below 10^8 with eight digits.
void put_eight_digits(char* to, uint32_t value) {
    for (int at = 6; at >= 0; at -= 2) {
        put_pair(to + at, value % 100);
        value /= 100;
    }
}

} // namespace

void LineBuffer::grow(size_t bytes) {
    const size_t used = view().size();
    const size_t size = std::max(2 * static_cast<size_t>(end_ - begin_.get()), used + bytes);
    std::unique_ptr<char[]> larger(new char[size]);
    std::memcpy(larger.get(), begin_.get(), used);
    begin_ = std::move(larger);
    position_ = begin_.get() + used;
    end_ = begin_.get() + size;
}

void LineBuffer::put_long_decimal(uint64_t value) {
    constexpr uint32_t eight_digits = 100'000'000;
    const unsigned digits = decimal_digits(value);
    char* const to = room(digits);
    char* end = to + digits;
    advance_to(end);
    while (value > UINT32_MAX) {
        put_eight_digits(end -= 8, static_cast<uint32_t>(value % eight_digits));
        value /= eight_digits;
    }
    put_digits_before(end, static_cast<uint32_t>(value));
}

void LineBuffer::put_signed(int64_t value) {
    if (value < 0) {
        put('-');
        put_decimal(0 - static_cast<uint64_t>(value));
    } else {
        put_decimal(static_cast<uint64_t>(value));
    }
}

void LineBuffer::put_hex(uint64_t value) {
    int shift = (std::bit_width(value | 1) + 3) / 4 * 4; // bits that are left
    char* to = room(16);
    if (shift % 8)
        *to++ = hex_digits[value >> (shift -= 4)];
    for (; shift; to += 2)
        std::memcpy(to, &hex_pairs[2 * (value >> (shift -= 8) & 0xff)], 2);
    advance_to(to);
}

void LineBuffer::put_octal(uint64_t value) {
    const int digits = (std::bit_width(value | 1) + 2) / 3;
    char* to = room(22);
    for (int shift = 3 * (digits - 1); shift >= 0; shift -= 3)
        *to++ = static_cast<char>('0' + ((value >> shift) & 7));
    advance_to(to);
}

void LineBuffer::put_hex_bytes(std::string_view bytes) {
    char* to = room(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        *to++ = hex_digits[byte >> 4];
        *to++ = hex_digits[byte & 15];
    }
    advance_to(to);
}

void Timestamp::remember(uint64_t second) {
    using namespace std::chrono;
    const sys_seconds time(seconds(static_cast<int64_t>(second)));
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    const auto year = static_cast<uint64_t>(static_cast<int>(date.year()));
    put_pair(text_, year / 100 % 100);
    put_pair(text_ + 2, year % 100);
    put_pair(text_ + 5, static_cast<unsigned>(date.month()));
    put_pair(text_ + 8, static_cast<unsigned>(date.day()));
    put_pair(text_ + 11, static_cast<uint64_t>(clock.hours().count()));
    put_pair(text_ + 14, static_cast<uint64_t>(clock.minutes().count()));
    put_pair(text_ + 17, static_cast<uint64_t>(clock.seconds().count()));
    text_[4] = text_[7] = '-';
    text_[10] = 'T';
    text_[13] = text_[16] = ':';
    text_[19] = '.';
    second_ = second;
}

void Timestamp::put(LineBuffer& line, uint64_t ns_since_epoch) {
    constexpr uint64_t billion = 1'000'000'000;
    const uint64_t second = ns_since_epoch / billion;
    if (second != second_) [[unlikely]]
        remember(second);
    char* to = line.room(length);
    std::memcpy(to, text_, sizeof(text_));
    const auto fraction = static_cast<uint32_t>(ns_since_epoch % billion);
    put_eight_digits(to + 21, fraction % 100'000'000);
    to[20] = static_cast<char>('0' + fraction / 100'000'000);
    to[29] = 'Z';
    line.advance_to(to + length);
}

} // namespace telemetry
