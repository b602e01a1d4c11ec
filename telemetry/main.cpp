// SPDX-License-Identifier: MIT
#include <algorithm>

#include "imds/app/extension.hpp"
#include "telemetry/app/application.hpp"
#include "telemetry/app/choose_offsets.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/app/program.hpp"
#include "telemetry/cli/commands.hpp"
#include "telemetry/names/names.hpp"

namespace {

using namespace telemetry;

std::unique_ptr<Extension> extension_of(const Options& options) {
    if (!options.imds)
        return nullptr;
    const size_t limit = options.max_memory;
    return imds::make_imds_extension(limit ? limit - std::min(limit - 1, memory_beside_caches(options)) : 0,
                                     options.host_proc);
}

ebpf_loader::Selection selection(const Options& options) {
    Rules rules = load_rules(options);
    return select_events(rules, options, extension_of(options).get());
}

std::string check(const Options& options) {
    Rules rules = load_rules(options);
    if (!rules.is_auditctl() || !rules.compile().empty())
        select_events(rules, options, extension_of(options).get());
    const std::string outputs = options.configured.empty() ? "rules" : "rules, outputs";
    return outputs + " and kernel offsets (" + choose_offsets(options, usual_configs()).source + ")";
}

} // namespace

int main(int argc, char** argv) {
    constexpr const char* name = "ebpf_telemetry";
    return run_program(name, [&] {
        if (const Command* command = command_of(argc, argv))
            return run_command(*command, CommandArguments(argv + 2, static_cast<size_t>(argc - 2)), name);
        use_names(std::make_shared<Names>()); // a reload may bring the first output that needs it
        const Options options = parse_options(argc, argv);
        if (options.action != Options::Action::run)
            use_names(nullptr);
        return act(options,
                   {help_text, version_text, [&] { return check(options); },
                    [&] {
                        return Application(options, extension_of(options),
                                           [=] { return parse_options(argc, argv); })
                            .run();
                    },
                    [&] { return selection(options); }},
                   name);
    });
}
