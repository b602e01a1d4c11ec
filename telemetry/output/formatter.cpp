// SPDX-License-Identifier: MIT
#include "telemetry/output/formatter.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <ebpf_loader/error.hpp>

namespace telemetry {

// A new output format is one file, its maker declared here, and one line in the table.
std::unique_ptr<Formatter> make_text_formatter(const FormatContext& context);
std::unique_ptr<Formatter> make_json_formatter(const FormatContext& context);

namespace {

struct Format {
    std::string_view name;
    std::unique_ptr<Formatter> (*make)(const FormatContext&);
};

constexpr Format formats[] = {
    {"text", make_text_formatter},
    {"json", make_json_formatter},
};

constexpr auto names = [] {
    std::array<std::string_view, std::size(formats)> all;
    std::ranges::transform(formats, all.begin(), &Format::name);
    return all;
}();

} // namespace

std::unique_ptr<Formatter> make_formatter(std::string_view name, const FormatContext& context) {
    const auto found = std::ranges::find(formats, name, &Format::name);
    if (found != std::end(formats))
        return found->make(context);
    std::string known;
    for (const std::string_view format : names)
        known.append(known.empty() ? "" : ", ").append(format);
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, "There is no output format \"" +
                                                                std::string(name) +
                                                                "\"; choose one of: " + known + ".");
}

std::span<const std::string_view> formatter_names() {
    return names;
}

} // namespace telemetry
