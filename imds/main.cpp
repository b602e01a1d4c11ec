// SPDX-License-Identifier: MIT
#include <algorithm>

#include "imds/app/application.hpp"
#include "imds/app/datadog.hpp"
#include "imds/app/options.hpp"
#include "telemetry/app/choose_offsets.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/app/program.hpp"
#include "telemetry/names/names.hpp"

namespace {

using namespace telemetry;
using namespace telemetry::imds;

/// A reload adds no outputs.
bool sends_to_servers(const TrackerOptions& options) {
    const auto is_datadog = [](const Destination& to) { return to.kind == &datadog_sink; };
    return options.common.action == Options::Action::run &&
           std::ranges::any_of(options.common.outputs, is_datadog);
}

std::string check(const TrackerOptions& options) {
    const size_t endpoints = load_endpoints(options).all().size();
    return std::to_string(endpoints) + " endpoints and kernel offsets (" +
           choose_offsets(options.common, usual_configs()).source + ")";
}

} // namespace

int main(int argc, char** argv) {
    constexpr const char* name = "imds-tracker";
    return run_program(name, [&] {
        use_names(std::make_shared<Names>());
        const TrackerOptions options = parse_tracker_options(argc, argv);
        if (!sends_to_servers(options))
            use_names(nullptr);
        return act(
            options.common,
            {tracker_help, tracker_version, [&] { return check(options); },
             [&] {
                 return TrackerApplication(options, [=] { return parse_tracker_options(argc, argv); }).run();
             },
             [&] { return select_events(options); }},
            name);
    });
}
