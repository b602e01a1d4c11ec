// SPDX-License-Identifier: MIT
#include "telemetry/app/program.hpp"

#include <iostream>
#include <new>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/probe.hpp>

#include "telemetry/app/advice.hpp"
#include "telemetry/app/application.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/priority.hpp"
#include "telemetry/base/standard_streams.hpp"
#include "telemetry/health/server.hpp"
#include "telemetry/process/host_view.hpp"
#include "telemetry/rights/aside_thread.hpp"
#include "telemetry/rules/rules.hpp"
#include "telemetry/rules/terms/accounts.hpp"
#include "telemetry/sink/diagnostics.hpp"
#include "telemetry/spool/dump.hpp"
#include "telemetry/verify/verify.hpp"

namespace telemetry {

namespace {

void look_at_host(const Options& options) {
    const HostView view{options.host_proc, options.host_root};
    require_host_view(view);
    for (const std::string& what : missing_of_host(view))
        log(LogLevel::warning, what);
}

int act_unguarded(const Options& options, const Program& program) {
    switch (options.action) {
    case Options::Action::help:
        std::cout << program.help();
        break;
    case Options::Action::version:
        std::cout << program.version();
        break;
    case Options::Action::probe:
        if (int status = probe(options, program.selection))
            return status;
        break;
    case Options::Action::check:
        look_at_host(options);
        std::cout << program.check() << " are in order\n";
        break;
    case Options::Action::print_config:
        std::cout << options.settings;
        break;
    case Options::Action::status:
        std::cout << ask_status(*options.listen, options.format == &json_format);
        break;
    case Options::Action::spool_dump:
        log(LogLevel::info, dump_spool(options.spool, std::cout));
        break;
    case Options::Action::verify:
        return verify_files(options.verified, std::cout) ? exit_ok : exit_fault;
    case Options::Action::explain:
        std::cout << explain_rules(options);
        break;
    case Options::Action::list_syscalls:
        ebpf_loader::list_syscalls(std::cout);
        break;
    case Options::Action::run:
        set_priority(options.nice);
        if (options.keeps_rights)
            keep_rights();
        look_at_host(options);
        return program.run();
    }
    return std::cout.flush() ? exit_ok : exit_output;
}

/// What is thrown becomes a line of the log and its status.
int guarded(const std::function<int()>& work) {
    try {
        return work();
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

} // namespace

int act(const Options& options, const Program& program, const char* name) {
    Diagnostics& diagnostics = Diagnostics::standard_error();
    start_log(options.log_level, options.silent, name, [&](std::string_view line) { diagnostics.put(line); });
    rules::terms::find_accounts_below(options.host_root);
    const int status = guarded([&] { return act_unguarded(options, program); });
    diagnostics.finish();
    return status;
}

int run_command(const Command& command, CommandArguments arguments, const char* name) {
    Diagnostics& diagnostics = Diagnostics::standard_error();
    start_log(LogLevel::info, false, name, [&](std::string_view line) { diagnostics.put(line); });
    const int status = guarded([&] { return command.run(arguments); });
    diagnostics.finish();
    return status;
}

int run_program(const char* name, const std::function<int()>& parse_and_act) {
    if (!occupy_standard_streams())
        return exit_fault;
    try {
        return parse_and_act();
    } catch (const std::exception& error) { // of the options: there is no log yet
        Diagnostics& diagnostics = Diagnostics::standard_error();
        diagnostics.put(std::string(name) + ": " + error.what() + "\n");
        diagnostics.finish();
        return exit_status(ebpf_loader::ErrorCode::usage);
    }
}

} // namespace telemetry
