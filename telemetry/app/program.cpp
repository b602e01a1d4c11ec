// SPDX-License-Identifier: MIT
#include "telemetry/app/program.hpp"

#include <cstdio>
#include <iostream>
#include <new>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/probe.hpp>

#include "telemetry/app/advice.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/priority.hpp"
#include "telemetry/base/standard_streams.hpp"
#include "telemetry/rules/rules.hpp"

namespace telemetry {

namespace {

int act_unguarded(const Options& options, const Program& program) {
    switch (options.action) {
    case Options::Action::help:
        std::cout << program.help();
        break;
    case Options::Action::version:
        std::cout << program.version();
        break;
    case Options::Action::probe:
        if (int status = probe(options))
            return status;
        break;
    case Options::Action::check:
        std::cout << program.check() << " are in order\n";
        break;
    case Options::Action::list_syscalls:
        ebpf_loader::list_syscalls(std::cout);
        break;
    case Options::Action::run:
        set_priority(options.nice);
        return program.run();
    }
    return std::cout.flush() ? exit_ok : exit_output;
}

} // namespace

int act(const Options& options, const Program& program, const char* name) {
    start_log(options.log_level, options.silent, name);
    try {
        return act_unguarded(options, program);
    } catch (const ebpf_loader::Error& error) {
        log(LogLevel::fatal, with_advice(error));
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

int run_program(const char* name, const std::function<int()>& parse_and_act) {
    if (!occupy_standard_streams())
        return exit_fault;
    try {
        return parse_and_act();
    } catch (const std::exception& error) { // of the options: there is no log yet
        fprintf(stderr, "%s: %s\n", name, error.what());
        return exit_status(ebpf_loader::ErrorCode::usage);
    }
}

} // namespace telemetry
