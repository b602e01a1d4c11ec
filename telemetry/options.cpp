// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

#include <boost/program_options.hpp>
#include <ebpf_loader/engine.hpp>
#include <ebpf_loader/error.hpp>

namespace telemetry {

namespace {

namespace po = boost::program_options;
using Seconds = std::chrono::duration<double>;

[[noreturn]] void refuse(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why + "; see --help");
}

po::options_description event_options() {
    po::options_description options("Events");
    auto add = options.add_options();
    add("rules,r", po::value<std::string>()->value_name("FILE"),
        "which events to report; without it, built-in rules");
    add("format,f", po::value<std::string>()->value_name("NAME"),
        "text (default) or json: one line an event either way");
    add("output,o", po::value<std::vector<std::string>>()->value_name("FILE"),
        "append events to FILE instead of the screen; again for a further file; - is the screen");
    add("syslog,s", "send events to syslog too (facility user, ident ebpf-telemetry)");
    add("imds", "requests to the instance metadata service too, as imds-tracker reports them");
    add("quiet,q", "no events on the screen; diagnostics stay");
    add("very-quiet,Q", "nothing at all on the screen");
    return options;
}

po::options_description kernel_options() {
    po::options_description options("Kernel");
    auto add = options.add_options();
    add("config,c", po::value<std::string>()->value_name("FILE"),
        "kernel offsets from FILE, as get_offsets writes it; none: from the kernel alone");
    add("vmlinux", po::value<std::string>()->value_name("FILE"),
        "kernel offsets from the BTF in FILE: an ELF image or raw BTF");
    add("any-release", "accept a config that was made for another kernel release");
    add("tier", po::value<std::string>()->value_name("NAME"),
        "tp, raw_tp_sub4096, raw_tp_noloops or raw_tp; without it, the best that loads");
    add("buffer-size", po::value<std::string>()->value_name("BYTES"),
        "of the ring buffer, or of each CPU's perf buffer; K, M and G are understood; "
        "128K to 1G, taken as a power of two");
    add("max-events-per-process", po::value<std::string>()->value_name("N"),
        "of one process no more than N events a second; the others are lost and counted. Execs, "
        "exits, forks and changes of credentials are told all the same");
    return options;
}

po::options_description run_options() {
    po::options_description options("Run");
    auto add = options.add_options();
    add("duration", po::value<double>()->value_name("SECONDS"), "end by itself after so long");
    add("stats", po::value<double>()->value_name("SECONDS"),
        "print what was seen, filtered, emitted and lost every so often; the end prints it anyway");
    add("nice", po::value<int>()->value_name("N"),
        "priority of this program: -20 to 19, -10 by default, so that a busy machine does not keep it "
        "from reading; 0 is everybody's");
    add("log-level", po::value<std::string>()->value_name("LEVEL"),
        "trace, debug, info (default), warning, error or fatal: diagnostics, on standard error");
    return options;
}

po::options_description other_options() {
    po::options_description options("Instead of a run");
    auto add = options.add_options();
    add("check", "check rules and kernel offsets, and end");
    add("probe", "tell what this kernel can, which tier fits and why no better one; -f json too");
    add("list-syscalls", "print the table of system calls");
    add("help,h", "print this");
    add("version,V", "print the version");
    return options;
}

po::options_description all_options() {
    po::options_description options;
    options.add(event_options()).add(kernel_options()).add(run_options()).add(other_options());
    return options;
}

/// "8M" as 8388608.
size_t parse_size(const std::string& text) {
    size_t value = 0;
    const char* end = text.data() + text.size();
    auto [unit, error] = std::from_chars(text.data(), end, value);
    int shift = 0;
    if (end - unit == 1)
        shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : -1;
    else if (unit != end)
        shift = -1;
    if (error != std::errc{} || shift < 0 || value == 0 || value > SIZE_MAX >> shift)
        refuse("--buffer-size takes a number of bytes, or one with K, M or G, not \"" + text + "\"");
    return value << shift;
}

uint32_t parse_limit(const std::string& text) {
    constexpr uint32_t most = ebpf_loader::EngineOptions::max_rate_limit;
    uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end || value == 0 || value > most)
        refuse("--max-events-per-process takes a number from 1 to " + std::to_string(most) + ", not \"" +
               text + "\"");
    return value;
}

std::optional<std::chrono::milliseconds> parse_seconds(const po::variables_map& values, const char* name) {
    if (!values.count(name))
        return std::nullopt;
    double seconds = values[name].as<double>();
    if (!std::isfinite(seconds) || seconds < 0.001 || seconds > 1e9)
        refuse(std::string("--") + name + " takes a number of seconds above 0");
    return std::chrono::duration_cast<std::chrono::milliseconds>(Seconds(seconds));
}

std::optional<std::string> text_of(const po::variables_map& values, const char* name) {
    if (!values.count(name))
        return std::nullopt;
    return values[name].as<std::string>();
}

Options::Action parse_action(const po::variables_map& values) {
    using Action = Options::Action;
    static constexpr std::pair<const char*, Action> actions[] = {{"help", Action::help},
                                                                 {"version", Action::version},
                                                                 {"probe", Action::probe},
                                                                 {"check", Action::check},
                                                                 {"list-syscalls", Action::list_syscalls}};
    for (auto [name, action] : actions)
        if (values.count(name))
            return action;
    return Action::run;
}

/// With -o, the screen is one output among others and must be named; without, it is the one.
void parse_outputs(const po::variables_map& values, Options& options) {
    options.syslog = values.count("syslog");
    options.silent = values.count("very-quiet");
    bool no_screen = options.silent || values.count("quiet");
    options.screen = !values.count("output");
    if (!options.screen)
        for (const std::string& file : values["output"].as<std::vector<std::string>>()) {
            if (file.empty())
                refuse("--output takes the name of a file");
            if (file != "-")
                options.files.push_back(file);
            else if (no_screen)
                refuse("-o - asks for events on the screen, -q and -Q for none");
            else
                options.screen = true;
        }
    if (no_screen)
        options.screen = false;
}

void parse_kernel(const po::variables_map& values, Options& options) {
    options.config = text_of(values, "config");
    options.vmlinux = text_of(values, "vmlinux");
    options.any_release = values.count("any-release");
    if (options.config && options.vmlinux)
        refuse("--config and --vmlinux both say where kernel offsets come from: give one");
    if (auto tier = text_of(values, "tier")) {
        options.tier = ebpf_loader::parse_tier(*tier);
        if (!options.tier)
            refuse("--tier is tp, raw_tp_sub4096, raw_tp_noloops or raw_tp, not \"" + *tier + "\"");
    }
    if (auto size = text_of(values, "buffer-size"))
        options.buffer_bytes = parse_size(*size);
    if (auto limit = text_of(values, "max-events-per-process"))
        options.events_per_process = parse_limit(*limit);
}

Options interpret(const po::variables_map& values) {
    Options options;
    options.action = parse_action(values);
    if (auto format = text_of(values, "format"))
        options.format = *format;
    if (options.format != "text" && options.format != "json")
        refuse("--format is text or json, not \"" + options.format + "\"");
    options.rules = text_of(values, "rules");
    options.imds = values.count("imds");
    parse_outputs(values, options);
    parse_kernel(values, options);
    options.duration = parse_seconds(values, "duration");
    options.stats_every = parse_seconds(values, "stats");
    if (values.count("nice")) {
        options.nice = values["nice"].as<int>();
        if (options.nice < -20 || options.nice > 19)
            refuse("--nice is a number from -20 to 19, not " + std::to_string(options.nice));
    }
    if (auto level = text_of(values, "log-level")) {
        auto parsed = parse_log_level(*level);
        if (!parsed)
            refuse("--log-level is trace, debug, info, warning, error or fatal, not \"" + *level + "\"");
        options.log_level = *parsed;
    }
    return options;
}

constexpr std::string_view examples = R"(
Examples:
  sudo ./ebpf_telemetry
      events that the built-in rules select, on the screen; Ctrl-C ends
  sudo ./ebpf_telemetry -r my.rules -f json -o /var/log/telemetry.json
      events of one's own rules, as JSON, to a file (SIGHUP: opened anew)
  sudo ./ebpf_telemetry -s -Q
      to syslog alone, as a service would
  sudo ./ebpf_telemetry -o events.log -o -
      to a file and to the screen
  sudo ./ebpf_telemetry --duration 10 --stats 1 -q
      ten seconds of counting
  ./ebpf_telemetry --check -r my.rules
      are the rules right?

Kernel offsets come from the file of -c; without one, from an ebpf_telemetry.conf in the
folder above the program's (where building from source puts it) or in
/etc/ebpf_telemetry; without that, from the kernel itself.

Exit status: 0 all well, 1 a fault of the program, 2 wrong option, rule or file, 3 missing
privileges, 4 kernel lockdown, 5 no tracefs, 6 no usable kernel offsets, 7 the kernel
refused every tier, 8 out of memory or buffers, 9 an output broke.
)";

} // namespace

Options parse_options(int argc, const char* const argv[]) {
    try {
        po::variables_map values;
        // No guessing: "--q" must not become whatever option comes to begin with it one day.
        auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        po::store(po::command_line_parser(argc, argv)
                      .options(all_options())
                      .positional(po::positional_options_description())
                      .style(style)
                      .run(),
                  values);
        return interpret(values);
    } catch (const po::error& error) {
        refuse(error.what());
    }
}

std::string help_text() {
    std::ostringstream out;
    out << "Usage: ebpf_telemetry [options]\n"
           "Reports which process did what: system calls, and processes that start and end.\n"
        << all_options() << examples;
    return out.str();
}

std::string version_text() {
    return "ebpf_telemetry " EBT_VERSION "\n";
}

} // namespace telemetry
