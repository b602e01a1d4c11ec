// SPDX-License-Identifier: MIT
// How a mistake in a rules file is reported.
#pragma once
#include <string>
#include <vector>

#include "test/unit/rules/support.hpp"

namespace rules_test {

inline std::string errors(const std::string& text) {
    try {
        Rules::parse(text, "x.rules");
    } catch (const RuleError& error) {
        return error.what();
    }
    return "no error";
}

inline std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        result.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

/// "LINE:COLUMN MESSAGE" of a text with one mistake, whose shape is checked too.
inline std::string error(const std::string& text) {
    const auto shown = lines(errors(text));
    if (shown.size() != 4 || !shown[0].starts_with("x.rules:") || !shown[3].starts_with("expected: "))
        return "not a single well-formed error: " + errors(text);
    const size_t caret = shown[2].find('^');
    if (caret == std::string::npos || shown[2].find_first_not_of("^~", caret) != std::string::npos)
        return "no caret: " + shown[2];
    constexpr std::string_view MARK = ": error: ";
    const size_t mark = shown[0].find(MARK);
    return shown[0].substr(8, mark - 8) + ' ' + shown[0].substr(mark + MARK.size());
}

/// What is said to be expected.
inline std::string expected(const std::string& text) {
    const auto shown = lines(errors(text));
    return shown.empty() ? "" : shown.back().substr(shown.back().find(' ') + 1);
}

} // namespace rules_test
