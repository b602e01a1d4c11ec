// SPDX-License-Identifier: MIT
#include "telemetry/report/texts.hpp"

#include "telemetry/base/escape.hpp"

namespace telemetry::report {

namespace {

/// Escaped, and readable: quotes and backslashes stand as they are, since nothing ends by a quote here.
std::string shown(std::string_view text) {
    const bool is_cut = text.size() > Texts::longest;
    const char* at = text.data();
    const char* const end = at + std::min(text.size(), Texts::longest);
    std::string out;
    LineBuffer escaped;
    while (at != end) {
        const CodePoint point = decode_utf8(at, end);
        if (point.length == 0 && is_cut && end - at < 4)
            break; // the cut went through a character
        const uint32_t length = std::max(point.length, 1u);
        if (point.length != 0 && is_displayable(point.value)) {
            out.append(at, length);
        } else {
            escaped.clear();
            put_text_escaped(escaped, std::string_view(at, length));
            out.append(escaped.view());
        }
        at += length;
    }
    return is_cut ? out + "..." : out;
}

} // namespace

uint32_t Texts::number_of(std::string_view text) {
    const auto [at, is_new] = numbers_.try_emplace(std::string(text), static_cast<uint32_t>(all_.size()));
    if (is_new)
        all_.push_back(shown(text));
    return at->second;
}

} // namespace telemetry::report
