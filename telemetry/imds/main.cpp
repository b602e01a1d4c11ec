// SPDX-License-Identifier: MIT
#include <cstdio>
#include <iostream>
#include <new>
#include <string>

#include <ebpf_loader/error.hpp>

#include "choose_offsets.hpp"
#include "engine_setup.hpp"
#include "exit_status.hpp"
#include "imds/tracker_application.hpp"
#include "imds/tracker_options.hpp"
#include "rules.hpp"
#include "standard_streams.hpp"

namespace {

using namespace telemetry;
using namespace telemetry::imds;

void check(const TrackerOptions& options) {
    const size_t endpoints = load_endpoints(options).all().size();
    const auto offsets = choose_offsets(options.common, usual_configs());
    std::cout << endpoints << " endpoints and kernel offsets (" << offsets.source << ") are in order\n";
}

int act(const TrackerOptions& options) {
    switch (options.common.action) {
    case Options::Action::help:
        std::cout << tracker_help();
        break;
    case Options::Action::version:
        std::cout << tracker_version();
        break;
    case Options::Action::probe:
        if (int status = probe(options.common))
            return status;
        break;
    case Options::Action::check:
        check(options);
        break;
    case Options::Action::list_syscalls: // no option of this program's
    case Options::Action::run:
        return TrackerApplication(options).run();
    }
    return std::cout.flush() ? exit_ok : exit_output;
}

int guarded(const TrackerOptions& options) {
    try {
        return act(options);
    } catch (const ebpf_loader::Error& error) {
        log(LogLevel::fatal, error.what());
        return exit_status(error.code());
    } catch (const RuleError& error) {
        log(LogLevel::fatal, error.what());
        return exit_status(ebpf_loader::ErrorCode::usage);
    } catch (const std::bad_alloc&) {
        log(LogLevel::fatal, "out of memory");
        return exit_status(ebpf_loader::ErrorCode::resources);
    } catch (const std::exception& error) {
        log(LogLevel::fatal, error.what());
        return exit_fault;
    }
}

} // namespace

int main(int argc, char** argv) {
    if (!occupy_standard_streams())
        return exit_fault;
    try {
        const TrackerOptions options = parse_tracker_options(argc, argv);
        start_log(options.common.log_level, options.common.silent, "imds-tracker");
        return guarded(options);
    } catch (const std::exception& error) { // of the options: there is no log yet
        fprintf(stderr, "imds-tracker: %s\n", error.what());
        return exit_status(ebpf_loader::ErrorCode::usage);
    }
}
