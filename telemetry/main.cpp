// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <new>
#include <string>

#include <ebpf_loader/engine.hpp>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/probe_report.hpp>

#include "application.hpp"
#include "choose_offsets.hpp"
#include "exit_status.hpp"
#include "options.hpp"
#include "standard_streams.hpp"

namespace {

using namespace telemetry;

void check(const Options& options) {
    select_events(load_rules(options));
    auto offsets = choose_offsets(options, usual_configs());
    std::cout << "rules and kernel offsets (" << offsets.source << ") are in order\n";
}

/// Fails when nothing can run here.
int probe(const Options& options) {
    auto capabilities = ebpf_loader::probe_capabilities();
    auto verdicts = ebpf_loader::judge_tiers(capabilities);
    try {
        if (capabilities.has_privileges)
            verdicts = ebpf_loader::try_tiers(capabilities, choose_offsets(options, usual_configs()));
    } catch (const ebpf_loader::Error& error) {
        log(LogLevel::error, error.what());
    }
    auto write = options.format == "json" ? ebpf_loader::write_probe_json : ebpf_loader::write_probe_text;
    write(std::cout, capabilities, verdicts);
    const bool runs =
        std::any_of(verdicts.begin(), verdicts.end(), [](const auto& tier) { return tier.chosen; });
    return runs ? exit_ok : exit_status(ebpf_loader::ErrorCode::tiers);
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
        return Application(options).run();
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
        return guarded(options);
    } catch (const std::exception& error) { // of the options: there is no log yet
        fprintf(stderr, "ebpf_telemetry: %s\n", error.what());
        return exit_status(ebpf_loader::ErrorCode::usage);
    }
}
