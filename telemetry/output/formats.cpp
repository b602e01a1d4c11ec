// SPDX-License-Identifier: MIT
#include "telemetry/output/formats.hpp"

#include <algorithm>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/refuse.hpp"

namespace telemetry {

namespace {

constexpr const Format* all[] = {
#define FORMAT(name) &name##_format,
#include "telemetry/output/formats.def"
#undef FORMAT
};

} // namespace

std::span<const Format* const> formats() {
    return all;
}

const Format& format_named(std::string_view name) {
    const auto found = std::ranges::find(all, name, &Format::name);
    if (found == std::end(all))
        refuse("--format is one of " + format_names() + ", not " + in_quotes(name));
    return **found;
}

std::string format_names() {
    std::string names;
    for (const Format* format : all)
        names.append(names.empty() ? "" : ", ").append(format->name);
    return names;
}

} // namespace telemetry
