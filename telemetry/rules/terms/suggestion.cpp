// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "telemetry/rules/fields.hpp"

namespace telemetry::rules {
namespace {

constexpr size_t LONGEST_NAME = 40; ///< suggestions are made for names up to this length

/// Optimal string alignment: how many letters were mistyped, left out, added or swapped.
size_t edit_distance(std::string_view a, std::string_view b) {
    using Row = std::array<uint8_t, LONGEST_NAME + 1>;
    Row two_above{}, above{}, row{};
    for (size_t j = 0; j <= b.size(); ++j)
        above[j] = static_cast<uint8_t>(j);
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = static_cast<uint8_t>(i);
        for (size_t j = 1; j <= b.size(); ++j) {
            const int least = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            row[j] = static_cast<uint8_t>(swapped ? std::min(least, two_above[j - 2] + 1) : least);
        }
        two_above = above;
        above = row;
    }
    return above[b.size()];
}

std::string lower_case(std::string_view word) {
    std::string result(word);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
}

} // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (word.empty() || word.size() > LONGEST_NAME)
        return {};
    const std::string wanted = lower_case(word);
    std::string_view best;
    size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
    for (std::string_view candidate : candidates) {
        const size_t longer = std::max(word.size(), candidate.size());
        const size_t shorter = std::min(word.size(), candidate.size());
        if (longer > LONGEST_NAME || longer - shorter >= best_distance)
            continue; // too far away to look at
        const size_t distance = edit_distance(wanted, lower_case(candidate));
        if (distance < best_distance && distance < candidate.size()) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best.empty() ? std::string() : "; did you mean \"" + std::string(best) + "\"?";
}

} // namespace telemetry::rules
