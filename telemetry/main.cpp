// SPDX-License-Identifier: MIT
#include <cstdio>
#include <iostream>
#include <new>
#include <string>

#include <ebpf_loader/error.hpp>

#include "application.hpp"
#include "choose_offsets.hpp"
#include "engine_setup.hpp"
#include "exit_status.hpp"
#include "imds/imds_extension.hpp"
#include "options.hpp"
#include "priority.hpp"
#include "standard_streams.hpp"

namespace {

using namespace telemetry;

std::unique_ptr<Extension> extension_of(const Options& options) {
    return options.imds ? imds::make_imds_extension(options.format) : nullptr;
}

void check(const Options& options) {
    Rules rules = load_rules(options);
    select_events(rules, extension_of(options).get());
    auto offsets = choose_offsets(options, usual_configs());
    std::cout << "rules and kernel offsets (" << offsets.source << ") are in order\n";
}

int act(const Options& options) {
    switch (options.action) {
    case Options::Action::help:
        std::cout << help_text();
        break;
    case Options::Action::version:
        std::cout << version_text();
        break;
    case Options::Action::probe:
        if (int status = probe(options))
            return status;
        break;
    case Options::Action::check:
        check(options);
        break;
    case Options::Action::list_syscalls:
        ebpf_loader::list_syscalls(std::cout);
        break;
    case Options::Action::run:
        return Application(options, extension_of(options)).run();
    }
    return std::cout.flush() ? exit_ok : exit_output;
}

int guarded(const Options& options) {
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
        Options options = parse_options(argc, argv);
        start_log(options.log_level, options.silent);
        if (options.action == Options::Action::run)
            set_priority(options.nice);
        return guarded(options);
    } catch (const std::exception& error) { // of the options: there is no log yet
        fprintf(stderr, "ebpf_telemetry: %s\n", error.what());
        return exit_status(ebpf_loader::ErrorCode::usage);
    }
}
