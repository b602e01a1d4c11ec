// SPDX-License-Identifier: MIT
#include "line_buffer.hpp"

#include <algorithm>
#include <array>

namespace telemetry {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

/// "00" to "99", so that two digits cost one division.
constexpr auto pairs = [] {
    std::array<char, 200> table{};
    for (size_t i = 0; i < 100; ++i) {
        table[2 * i] = static_cast<char>('0' + i / 10);
        table[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return table;
}();

void put_pair(char* place, uint64_t value) {
    std::memcpy(place, &pairs[2 * value], 2);
}

/// Writes backwards from `end`; returns where the number begins.
char* decimal_before(char* end, uint64_t value) {
    while (value >= 100) {
        put_pair(end -= 2, value % 100);
        value /= 100;
    }
    if (value >= 10)
        put_pair(end -= 2, value);
    else
        *--end = static_cast<char>('0' + value);
    return end;
}

struct Date {
    uint64_t year;
    uint64_t month;
    uint64_t day;
};

/// Proleptic Gregorian date of a day since 1970-01-01. Years are counted from March,
/// so that the leap day is the last of its year, in cycles of 400 years.
Date date_of(uint64_t days_since_epoch) {
    constexpr uint64_t days_in_cycle = 146097;
    const uint64_t days = days_since_epoch + 719468; // since 0000-03-01
    const uint64_t cycle = days / days_in_cycle;
    const uint64_t day_of_cycle = days % days_in_cycle;
    const uint64_t year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
    const uint64_t day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    const uint64_t month = (5 * day_of_year + 2) / 153; // 0 is March
    const uint64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    return {cycle * 400 + year_of_cycle + (month >= 10), month < 10 ? month + 3 : month - 9, day};
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

void LineBuffer::put_decimal(uint64_t value) {
    if (value < 10) {
        put(static_cast<char>('0' + value));
        return;
    }
    char digits[20];
    char* const end = digits + sizeof digits;
    const char* const begin = decimal_before(end, value);
    put_bytes(begin, static_cast<size_t>(end - begin));
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
    char digits[16];
    char* begin = digits + sizeof digits;
    do {
        *--begin = hex_digits[value & 15];
        value >>= 4;
    } while (value);
    put_bytes(begin, static_cast<size_t>(digits + sizeof digits - begin));
}

void LineBuffer::put_octal(uint64_t value) {
    char digits[22];
    char* begin = digits + sizeof digits;
    do {
        *--begin = static_cast<char>('0' + (value & 7));
        value >>= 3;
    } while (value);
    put_bytes(begin, static_cast<size_t>(digits + sizeof digits - begin));
}

void LineBuffer::put_hex_bytes(std::string_view bytes) {
    char* place = room(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        *place++ = hex_digits[byte >> 4];
        *place++ = hex_digits[byte & 15];
    }
    advance_to(place);
}

void Timestamp::remember(uint64_t second) {
    constexpr uint64_t day = 86400;
    const Date date = date_of(second / day);
    const uint64_t time = second % day;
    put_pair(text_, date.year / 100 % 100);
    put_pair(text_ + 2, date.year % 100);
    put_pair(text_ + 5, date.month);
    put_pair(text_ + 8, date.day);
    put_pair(text_ + 11, time / 3600);
    put_pair(text_ + 14, time / 60 % 60);
    put_pair(text_ + 17, time % 60);
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
    char* place = line.room(length);
    std::memcpy(place, text_, sizeof text_);
    uint64_t fraction = ns_since_epoch % billion;
    for (int at = 27; at >= 21; at -= 2) {
        put_pair(place + at, fraction % 100);
        fraction /= 100;
    }
    place[20] = static_cast<char>('0' + fraction);
    place[29] = 'Z';
    line.advance_to(place + length);
}

} // namespace telemetry
