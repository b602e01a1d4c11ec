// SPDX-License-Identifier: MIT
#include "telemetry/base/text/time.hpp"

#include <charconv>
#include <chrono>

namespace telemetry {

namespace {

/// Digits at `at`, and what has to follow them.
bool take(std::string_view text, size_t at, size_t digits, std::string_view next, int& value) {
    if (at + digits + next.size() > text.size())
        return false;
    const char* const end = text.data() + at + digits;
    const auto [rest, error] = std::from_chars(text.data() + at, end, value);
    return error == std::errc() && rest == end && value >= 0 && text.substr(at + digits, next.size()) == next;
}

} // namespace

std::optional<int64_t> nanoseconds_of(std::string_view text) {
    using namespace std::chrono;
    int y, m, d, h, minute, s;
    if (!take(text, 0, 4, "-", y) || !take(text, 5, 2, "-", m) || !take(text, 8, 2, "T", d) ||
        !take(text, 11, 2, ":", h) || !take(text, 14, 2, ":", minute) || !take(text, 17, 2, "", s))
        return std::nullopt;
    const year_month_day day{year(y), month(static_cast<unsigned>(m)),
                             std::chrono::day(static_cast<unsigned>(d))};
    constexpr int first_year = 1970, last_year = 2200; // what 64 bits of nanoseconds hold, and some
    if (!day.ok() || y < first_year || y > last_year || h > 23 || minute > 59 || s > 60)
        return std::nullopt;
    std::string_view rest = text.substr(19);
    int64_t nanoseconds = 0;
    if (rest.starts_with('.')) {
        int64_t unit = 100'000'000;
        for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
             rest.remove_prefix(1)) {
            nanoseconds += (rest[0] - '0') * unit;
            unit /= 10;
        }
    }
    if (rest != "Z")
        return std::nullopt;
    const auto at = sys_days(day).time_since_epoch() + hours(h) + minutes(minute) + seconds(s);
    return duration_cast<std::chrono::nanoseconds>(at).count() + nanoseconds;
}

} // namespace telemetry
