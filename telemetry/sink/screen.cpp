// SPDX-License-Identifier: MIT
#include <algorithm>
#include <unistd.h>

#include "telemetry/base/refuse.hpp"
#include "telemetry/sink/aside/aside_sink.hpp"
#include "telemetry/sink/sinks.hpp"
#include "telemetry/sink/stream.hpp"

namespace telemetry {

namespace {

constexpr SinkOption screen_options[] = {
    {"quiet,q", "print no events on standard output; diagnostics are printed all the same"},
    {"very-quiet,Q", "print neither events nor diagnostics"},
};

/// With -o or --output-config, the screen is one output among others and must be named; without, it is the
/// one.
std::vector<std::string> screen_targets(const SinkArguments& arguments) {
    const std::vector<std::string>& files = arguments.values("output");
    const bool is_named = std::ranges::count(files, "-") > 0;
    const bool is_quiet = arguments.has("quiet") || arguments.has("very-quiet");
    if (is_named && is_quiet)
        refuse("-o - prints events on standard output, -q and -Q forbid that: give only one of them");
    const bool is_only = files.empty() && !arguments.has("output-config");
    const bool is_wanted = !is_quiet && (is_only || is_named);
    return std::vector<std::string>(is_wanted ? 1 : 0);
}

} // namespace

const SinkKind screen_sink = {
    .name = "screen",
    .cause = "output_screen",
    .options = screen_options,
    .targets = screen_targets,
    .open =
        [](const std::string&, const SinkContext&) {
            return without_waiting(make_stream_sink(STDOUT_FILENO, "standard output"));
        },
    .may_be_terminal = true,
};

} // namespace telemetry
