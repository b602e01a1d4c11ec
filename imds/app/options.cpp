// SPDX-License-Identifier: MIT
#include "imds/app/options.hpp"

#include <sstream>

#include "imds/app/datadog.hpp"
#include "telemetry/base/escape.hpp"
#include "telemetry/cli/command_line.hpp"

namespace telemetry::imds {

namespace {

namespace po = command_line::po;
using Texts = std::vector<std::string>;

SinkKinds sinks() {
    SinkKinds kinds = common_sinks();
    kinds.push_back(&datadog_sink);
    return kinds;
}

command_line::Groups groups() {
    command_line::Groups groups(sinks());
    auto add = groups.events.add_options();
    add("unsafe", "show bodies and whole URLs, including the secrets in them");
    add("user-stack-trace",
        "report with each request the user-space stack of the thread that made it (docs/imds.md)");
    add("endpoints", po::value<Texts>()->value_name("FILE"),
        "also watch the addresses in FILE, which has the form of rules/imds-endpoints.conf; may be given "
        "more "
        "than once");
    add("colour", po::value<std::string>()->value_name("WHEN"),
        "colours in text: auto (default: on a terminal, unless NO_COLOR is set), always or never");
    groups.kernel.add_options()("proc", po::value<std::string>()->value_name("DIR"),
                                "the earlier name of --host-proc");
    groups.run.add_options()("summary", po::value<double>()->implicit_value(0, "")->value_name("[=SECONDS]"),
                             "print, at the end, a table of programs and containers with their numbers of "
                             "requests by v1, by v2 and "
                             "for credentials; with SECONDS, at this interval too");
    return groups;
}

TrackerOptions::Colour parse_colour(const std::string& when) {
    if (when == "auto")
        return TrackerOptions::Colour::automatic;
    if (when == "always")
        return TrackerOptions::Colour::always;
    if (when == "never")
        return TrackerOptions::Colour::never;
    refuse("--colour is auto, always or never, not " + in_quotes(when));
}

void parse_summary(const po::variables_map& values, TrackerOptions& options) {
    options.summary = values.count("summary");
    if (options.summary && values["summary"].as<double>() != 0) // 0: no number was given
        options.summary_every = command_line::seconds_of(values, "summary");
}

constexpr std::string_view examples = R"(
Examples:
  sudo imds-tracker
      who asks the metadata service for what, on the screen; Ctrl-C ends
  sudo imds-tracker --summary -q --duration 3600
      count for an hour: which programs still use IMDSv1?
  sudo imds-tracker -f json -o /var/log/imds.json
      as JSON, to a file (reopened on SIGHUP)
  sudo DD_API_KEY=... DD_SITE=datadoghq.eu imds-tracker --datadog -q
      to Datadog alone
  sudo imds-tracker --endpoints my-endpoints.conf
      also watch a metadata service of your own

Session tokens, credentials, user data and query values are replaced by their length, unless
--unsafe is given.

Datadog: DD_API_KEY, DD_SITE (default datadoghq.com), DD_LOGS_URL (another intake),
DD_PROXY_HTTPS, DD_PROXY_HTTP and DD_PROXY_NO_PROXY, or HTTPS_PROXY and NO_PROXY.

Exit status: 0 success, 1 internal error, 2 wrong option or file, 3 missing
privileges, 4 kernel lockdown, 5 no tracefs, 6 no usable kernel offsets, 7 the kernel
refused every tier, 8 out of memory or buffers, 9 an output failed or took no
event, 10 another process changed this program's maps or hooks (--on-tampering).
)";

} // namespace

TrackerOptions parse_tracker_options(int argc, const char* const argv[]) {
    const command_line::Parsed parsed = command_line::parse(argc, argv, groups(), "imds-tracker");
    const po::variables_map& values = parsed.values;
    if (!parsed.sections.empty())
        refuse_line(parsed.sections[0].file, parsed.sections[0].section.line,
                    "imds-tracker has no sections: outputs of its own are those of ebpf_telemetry --imds");
    TrackerOptions options;
    options.common = command_line::shared_options(parsed, sinks());
    options.common.program = "imds-tracker";
    options.unsafe = values.count("unsafe");
    options.user_stack_trace = values.count("user-stack-trace");
    if (values.count("proc")) {
        if (values.count("host-proc"))
            refuse("--proc is the earlier name of --host-proc: give only one");
        options.common.host_proc = command_line::folder_of(values, "proc", "");
    }
    if (values.count("endpoints"))
        options.endpoints = values["endpoints"].as<Texts>();
    if (values.count("colour"))
        options.colour = parse_colour(values["colour"].as<std::string>());
    parse_summary(values, options);
    return options;
}

std::string tracker_help() {
    std::ostringstream out;
    out << "Usage: imds-tracker [options]\n"
           "Reports which process calls the instance metadata service, how and for what.\n"
        << groups().all() << examples;
    return out.str();
}

std::string tracker_version() {
    return "imds-tracker " + command_line::version() + "\n";
}

} // namespace telemetry::imds
