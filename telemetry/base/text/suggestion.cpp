// SPDX-License-Identifier: MIT
#include "telemetry/base/text/suggestion.hpp"

#include <algorithm>
#include <numeric>

namespace telemetry {
namespace {

constexpr size_t longest_name = 40; ///< suggestions are made for names up to this length

std::string lower_case(std::string_view word) {
    std::string result(word);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
}

} // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> two_above(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    std::iota(above.begin(), above.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], two_above[j - 2] + 1);
        }
        two_above.swap(above);
        above.swap(row);
    }
    return above[b.size()];
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (word.empty() || word.size() > longest_name)
        return {};
    const std::string wanted = lower_case(word);
    std::string_view best;
    size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
    for (std::string_view candidate : candidates) {
        const size_t longer = std::max(word.size(), candidate.size());
        const size_t shorter = std::min(word.size(), candidate.size());
        if (longer > longest_name || longer - shorter >= best_distance)
            continue; // too far away to look at
        const size_t distance = edit_distance(wanted, lower_case(candidate));
        if (distance < best_distance && distance < candidate.size()) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best.empty() ? std::string() : "; did you mean \"" + std::string(best) + "\"?";
}

} // namespace telemetry
