// SPDX-License-Identifier: MIT
#include "imds/app/application.hpp"
#include "imds/app/options.hpp"
#include "telemetry/app/choose_offsets.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/app/program.hpp"

namespace {

using namespace telemetry;
using namespace telemetry::imds;

std::string check(const TrackerOptions& options) {
    const size_t endpoints = load_endpoints(options).all().size();
    return std::to_string(endpoints) + " endpoints and kernel offsets (" +
           choose_offsets(options.common, usual_configs()).source + ")";
}

} // namespace

int main(int argc, char** argv) {
    constexpr const char* name = "imds-tracker";
    return run_program(name, [&] {
        const TrackerOptions options = parse_tracker_options(argc, argv);
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
