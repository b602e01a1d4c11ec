// SPDX-License-Identifier: MIT
#include "telemetry/cli/options.hpp"

#include <algorithm>
#include <sstream>

#include <ebpf_loader/engine.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/paths.hpp"
#include "telemetry/base/refuse.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/cli/command_line.hpp"
#include "telemetry/cli/commands.hpp"
#include "telemetry/cli/settings_file.hpp"
#include "telemetry/delivery/line_limit.hpp"

namespace telemetry {

namespace {

using command_line::text_of;
namespace po = command_line::po;

command_line::Groups groups() {
    command_line::Groups groups;
    groups.events.add_options()("rules,r", po::value<std::string>()->value_name("FILE"),
                                "report the events that the rules in FILE, or in the files *.rules of the "
                                "directory FILE, select, which may "
                                "be auditctl's; by default those of the built-in rules")(
        "output-config", po::value<std::vector<std::string>>()->value_name("FILE"),
        "also send events to the outputs that FILE configures (docs/delivery.md); may be given more than "
        "once")(
        "fields", po::value<std::string>()->value_name("FILE|NAME"),
        "with -f json: write full (default: all fields), rules (those that public detection rules test), "
        "compact (what is said of a process once is not repeated), or the fields that FILE names, one a "
        "line")(
        "max-line", po::value<std::string>()->value_name("BYTES"),
        "with -f json: keep lines within BYTES, 8192 to 67108864, by cutting arguments first. Outputs of "
        "--output-config have max_line instead, by default 32K")(
        "imds", "also report requests to the instance metadata service, as imds-tracker does");
    groups.events.add_options()(
        "colour", po::value<std::string>()->value_name("WHEN"),
        "colours in brief: auto (default: on a terminal, unless NO_COLOR is set), always or never");
    groups.run.add_options()(
        "max-events-per-process", po::value<std::string>()->value_name("N"),
        "report at most N events a second of each process; the others are counted as lost. Execs, exits, "
        "forks and changes of credentials are not limited");
    groups.events.add_options()("fold", po::value<double>()->value_name("SECONDS"),
                                "report of identical connections that a process makes or accepts the first "
                                "at once, and of those that "
                                "follow within SECONDS only the last, with how many they were");
    groups.run.add_options()(
        "summary", po::value<double>()->implicit_value(0, "")->value_name("[=SECONDS]"),
        "print, at the end, tables of who did most and what that costs: by executable, "
        "user, container, call, and rule with its key; with SECONDS, at this interval too")(
        "top",
        "show who does most on the terminal instead of events, by process, executable, user, container, "
        "call and rule; ? lists the keys");
    groups.run.add_options()(
        "no-witness",
        "attach no kprobes: report paths and addresses as callers wrote them, not those on which the "
        "kernel acted");
    groups.run.add_options()(
        "no-lineage",
        "with -f json: report a process's parent by its id alone, and no leaders. The starts and ends of "
        "processes that no rule selects are not followed then");
    groups.run.add_options()("hash", "report the SHA-256 of what processes execute, once a thread of its own "
                                     "has read it; with -f json and "
                                     "text");
    groups.other.add_options()("spool-dump", po::value<std::string>()->value_name("DIR"),
                               "print the events that wait in the spool DIR, and exit")(
        "verify", po::value<std::vector<std::string>>()->value_name("FILE"),
        "say whether all that the runs gave to an output is in FILE, which has its lines of JSON, and exit; "
        "may be "
        "given more than once, oldest first");
    groups.other.add_options()("list-syscalls", "print the table of system calls, and exit")(
        "explain",
        "print of each rule what the kernel decides and what this program, and what that costs, and exit");
    return groups;
}

constexpr std::string_view examples = R"(
Examples:
  sudo ./ebpf_telemetry
      events that the built-in rules select, on the screen, in brief; Ctrl-C ends
  sudo ./ebpf_telemetry -r my.rules -f json -o /var/log/telemetry.json
      events that other rules select, as JSON, to a file (reopened on SIGHUP)
  sudo ./ebpf_telemetry -s -Q
      to syslog alone, as for a service
  sudo ./ebpf_telemetry -o events.log -o -
      to a file and to the screen
  sudo ./ebpf_telemetry --duration 10 --stats 1 -q
      count events for ten seconds
  ./ebpf_telemetry --check -r my.rules
      check the rules of a file

Kernel offsets are read from the file that -c names; without -c, from an ebpf_telemetry.conf
in the directory above the program's (where a build from source puts it) or from
/etc/ebpf-telemetry/offsets.conf; without such a file, from the kernel itself.

Exit status: 0 success, 1 internal error, 2 wrong option, rule or file, 3 missing
privileges, 4 kernel lockdown, 5 no tracefs, 6 no usable kernel offsets, 7 the kernel
refused every tier, 8 out of memory or buffers, 9 an output failed or took no
event, 10 another process changed this program's maps or hooks (--on-tampering).
)";

void require_json(const Options& options) {
    const auto is_json = [](const Destination& to) { return to.kind->own_format == &json_format; };
    if (options.format != &json_format && std::ranges::none_of(options.outputs, is_json))
        refuse("--fields chooses fields of JSON: give -f json too");
}

size_t max_line_of(const Options& options, const std::string& text) {
    constexpr uint32_t most = 64 << 20;
    if (options.format != &json_format)
        refuse("--max-line is for lines of JSON: give -f json too");
    const uint32_t bytes = command_line::whole_number("max-line", text, most, "a number of bytes");
    if (bytes < LineLimit::least)
        refuse("--max-line is at least " + std::to_string(LineLimit::least) + ", not " + in_quotes(text));
    return bytes;
}

/// Do events go to the screen, and nowhere else in the same format?
bool is_screen_alone(const Options& options) {
    const auto is_screen = [](const Destination& to) {
        return to.kind->own_format || to.kind->may_be_terminal;
    };
    const auto shows = [](const Destination& to) { return to.kind->may_be_terminal; };
    return std::ranges::all_of(options.outputs, is_screen) && std::ranges::any_of(options.outputs, shows);
}

void parse_activity(const po::variables_map& values, Options& options) {
    if (values.count("summary")) {
        options.summary = true;
        if (values["summary"].as<double>() != 0)
            options.summary_every = command_line::seconds_of(values, "summary");
    }
    options.top = values.count("top");
    if (!options.top || options.action != Options::Action::run)
        return;
    if (!is_terminal())
        refuse("--top shows who does most on a terminal, and standard output is none: --summary prints it");
    if (options.stats_every || options.summary)
        refuse("--top has the terminal for itself: leave out --stats and --summary");
    if (values.count("output")) {
        const auto files = values["output"].as<std::vector<std::string>>();
        if (std::ranges::count(files, "-") > 0)
            refuse("--top has the terminal for itself, and -o - prints events there: give only one of them");
    }
    std::erase_if(options.outputs, [](const Destination& to) { return to.kind->may_be_terminal; });
}

bool wants_colour(const Options& options, const std::string& when) {
    if (when != "auto" && when != "always" && when != "never")
        refuse("--colour is auto, always or never, not " + in_quotes(when));
    return when == "always" || (when == "auto" && is_screen_alone(options) && terminal_has_colours());
}

} // namespace

bool Options::follows_lineage() const {
    const auto shows = [](const OutputSettings& output) { return output.format->shows_lineage; };
    return lineage && (format->shows_lineage || counts_activity() || std::ranges::any_of(configured, shows));
}

size_t Options::output_memory() const {
    // Measured: its thread, the batch on its way, as it is and compressed, and the libraries of its client.
    constexpr size_t besides = 8 << 20;
    size_t bytes = 0;
    for (const OutputSettings& output : configured)
        bytes += output.queue_bytes + besides;
    return bytes;
}

Options parse_options(int argc, const char* const argv[]) {
    const command_line::Parsed parsed = command_line::parse(argc, argv, groups(), "ebpf-telemetry");
    const po::variables_map& values = parsed.values;
    Options options = command_line::shared_options(parsed);
    parse_activity(values, options);
    if (!values.count("format") && is_screen_alone(options) && is_terminal())
        options.format = &brief_format; // people look at it
    options.colour = wants_colour(options, text_of(values, "colour").value_or("auto"));
    options.rules = text_of(values, "rules");
    if (!options.rules && !values.count("settings")) // else no usual file counts
        options.rules = command_line::usual_rules(paths::rules);
    if (auto fields = text_of(values, "fields")) {
        options.fields = choose_fields(*fields);
        require_json(options);
    }
    if (auto bytes = text_of(values, "max-line"))
        options.max_line = max_line_of(options, *bytes);
    std::vector<std::string> files;
    if (values.count("output-config"))
        files = values["output-config"].as<std::vector<std::string>>();
    options.configured = load_outputs(files, parsed.sections, options.host_root);
    if (auto spool = text_of(values, "spool-dump")) {
        options.action = Options::Action::spool_dump;
        options.spool = *spool;
    }
    if (values.count("verify")) {
        options.action = Options::Action::verify;
        options.verified = values["verify"].as<std::vector<std::string>>();
    }
    options.fold = command_line::seconds_of(values, "fold");
    options.imds = values.count("imds");
    options.lineage = !values.count("no-lineage");
    options.hash = values.count("hash");
    options.witness = !values.count("no-witness");
    if (auto limit = text_of(values, "max-events-per-process"))
        options.events_per_process = command_line::whole_number("max-events-per-process", *limit,
                                                                ebpf_loader::EngineOptions::max_rate_limit);
    return options;
}

std::string help_text() {
    std::ostringstream out;
    out << "Usage: ebpf_telemetry [options]\n"
           "Reports which process did what: system calls, and processes that start and end.\n"
        << groups().all() << examples << commands_help();
    return out.str();
}

std::string version_text() {
    return "ebpf_telemetry " + command_line::version() + "\n";
}

} // namespace telemetry
