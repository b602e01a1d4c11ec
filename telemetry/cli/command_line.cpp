// SPDX-License-Identifier: MIT
#include "telemetry/cli/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/paths.hpp"
#include "telemetry/cli/settings_file.hpp"
#include "telemetry/health/listener.hpp"
#include "telemetry/limits/cpu_budget.hpp"
#include "telemetry/limits/memory_budget.hpp"

namespace telemetry::command_line {

namespace {

using Texts = std::vector<std::string>;

constexpr uint32_t most_mebibytes = 1 << 20;

void add_events(po::options_description& options) {
    auto add = options.add_options();
    const std::string format_help =
        "format of the events: one of " + format_names() + "; the first is the default";
    add("format,f", po::value<std::string>()->value_name("NAME"), format_help.c_str());
}

std::string long_name(const SinkOption& option) {
    const std::string_view name(option.name);
    return std::string(name.substr(0, name.find(',')));
}

void add_sinks(po::options_description& options, const SinkKinds& sinks) {
    auto add = options.add_options();
    for (const SinkKind* kind : sinks)
        for (const SinkOption& option : kind->options) {
            if (option.value)
                add(option.name, po::value<Texts>()->value_name(option.value), option.help);
            else
                add(option.name, option.help);
        }
}

void add_kernel(po::options_description& options) {
    auto add = options.add_options();
    add("config,c", po::value<std::string>()->value_name("FILE"),
        "read kernel offsets from FILE, which get_offsets made; none: read them from the kernel itself");
    add("vmlinux", po::value<std::string>()->value_name("FILE"),
        "read kernel offsets from the BTF in FILE: an ELF image or raw BTF");
    add("any-release", "accept a config that was made for another kernel release");
    add("tier", po::value<std::string>()->value_name("NAME"),
        "which eBPF programs to load: tp, raw_tp_sub4096, raw_tp_noloops or raw_tp; by default the best that "
        "this kernel accepts");
    add("buffer-size", po::value<std::string>()->value_name("BYTES"),
        "size of a ring buffer, of which there is one for every eight CPUs, or of each CPU's perf buffer: "
        "128K "
        "to 1G, rounded to a power of two");
}

void add_host(po::options_description& options) {
    auto add = options.add_options();
    add("host-proc", po::value<std::string>()->value_name("DIR"),
        "where the machine's /proc is mounted, for a container with a PID namespace of its own (default "
        "/proc)");
    add("host-root", po::value<std::string>()->value_name("DIR"),
        "where the machine's root directory is mounted, for a container: names of users and groups, the "
        "machine's id and its distribution are read below it (default /)");
}

void add_run(po::options_description& options) {
    auto add = options.add_options();
    add("duration", po::value<double>()->value_name("SECONDS"), "stop after this time");
    add("stats", po::value<double>()->value_name("SECONDS"),
        "print how many events were seen, filtered, emitted and lost at this interval, and not only at the "
        "end");
    add("heartbeat", po::value<std::string>()->value_name("SECONDS"),
        "report a sign of life with the balance of events at this interval, as an event of its own (60 by "
        "default); 0: never");
    add("metrics-file", po::value<std::string>()->value_name("FILE"),
        "keep FILE up to date with all counters, as node_exporter's textfile collector reads them");
    add("metrics-interval", po::value<double>()->value_name("SECONDS"),
        "how often that file is replaced (15 by default)");
    add("listen", po::value<std::string>()->value_name("ADDRESS"),
        "serve /metrics, /healthz and /status over HTTP at the Unix socket ADDRESS, a path, or at "
        "127.0.0.1:PORT or [::1]:PORT");
    add("nice", po::value<int>()->value_name("N"),
        "nice value of this program, from -20 (first to run) to 19; -10 by default, so that it reads events "
        "in "
        "time on a busy machine");
    add("max-cpu", po::value<std::string>()->value_name("PERCENT"),
        "how much of one CPU this program may use: above it, the kernel side drops events other than execs, "
        "exits, forks and changes of credentials, and counts them as lost");
    add("max-memory", po::value<std::string>()->value_name("MIB"),
        "how much resident memory this program may have, in MiB: buffers and caches are sized to fit");
    add("on-tampering", po::value<std::string>()->value_name("WHAT"),
        "when another process changes this program's maps or hooks in the kernel: repair (default: restore "
        "them, report a loss event \"tampered\", and end only if that is not possible) or end");
    add("keep-rights",
        "keep all capabilities and system calls: by default the program gives up those that it does not need "
        "once it reports events (docs/security.md)");
    add("log-level", po::value<std::string>()->value_name("LEVEL"),
        "which diagnostics to print on standard error: trace, debug, info (default), warning (or warn), "
        "error, "
        "fatal (or panic)");
}

void add_other(po::options_description& options) {
    auto add = options.add_options();
    add("settings", po::value<std::string>()->value_name("FILE"),
        "read options from FILE instead of the usual files (ebpf-telemetry.conf(5)); none: from no file");
    add("print-config", "print all options with their values and where those are from, and exit");
    add("check", "check the files that this program reads and the kernel offsets, and exit");
    add("probe",
        "print what this kernel supports, which tier would be used and why no better one, and exit; with -f "
        "json as JSON");
    add("status", "print how the run is that listens where --listen says, and exit; with -f json as JSON");
    add("help,h", "print this help, and exit");
    add("version,V", "print the version, and exit");
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
        refuse("--buffer-size takes a number of bytes such as 4194304, 4096K or 4M, not " + in_quotes(text));
    return value << shift;
}

Options::Action parse_action(const po::variables_map& values) {
    using Action = Options::Action;
    static constexpr std::pair<const char*, Action> actions[] = {{"help", Action::help},
                                                                 {"version", Action::version},
                                                                 {"probe", Action::probe},
                                                                 {"status", Action::status},
                                                                 {"check", Action::check},
                                                                 {"print-config", Action::print_config},
                                                                 {"list-syscalls", Action::list_syscalls},
                                                                 {"explain", Action::explain}};
    for (auto [name, action] : actions)
        if (values.count(name))
            return action;
    return Action::run;
}

std::vector<Destination> parse_outputs(const Parsed& parsed, const SinkKinds& sinks) {
    const po::variables_map& values = parsed.values;
    SinkArguments arguments;
    for (const SinkKind* kind : sinks)
        for (const SinkOption& option : kind->options) {
            const std::string name = long_name(option);
            if (values.count(name))
                arguments.add(name, option.value ? values[name].as<Texts>() : Texts());
        }
    if (values.count("output-config") || !parsed.sections.empty()) // the screen is no longer the only output
        arguments.add("output-config", {});
    return destinations(sinks, arguments);
}

void parse_kernel(const po::variables_map& values, Options& options) {
    options.config = text_of(values, "config");
    options.vmlinux = text_of(values, "vmlinux");
    options.any_release = values.count("any-release");
    if (options.config && options.vmlinux)
        refuse("--config and --vmlinux both name a source of kernel offsets: give only one");
    if (auto tier = text_of(values, "tier")) {
        options.tier = ebpf_loader::parse_tier(*tier);
        if (!options.tier)
            refuse("--tier is tp, raw_tp_sub4096, raw_tp_noloops or raw_tp, not " + in_quotes(*tier));
    }
    if (auto size = text_of(values, "buffer-size"))
        options.buffer_bytes = parse_size(*size);
}

void parse_host(const po::variables_map& values, Options& options) {
    options.host_proc = folder_of(values, "host-proc", options.host_proc);
    options.host_root = folder_of(values, "host-root", options.host_root);
}

void parse_health(const po::variables_map& values, Options& options) {
    if (auto seconds = text_of(values, "heartbeat")) {
        constexpr uint32_t most = 86'400;
        options.heartbeat_every.reset();
        if (*seconds != "0")
            options.heartbeat_every =
                std::chrono::seconds(whole_number("heartbeat", *seconds, most, "0 or a number of seconds"));
    }
    options.metrics_file = text_of(values, "metrics-file");
    if (options.metrics_file && options.metrics_file->empty())
        refuse("--metrics-file takes the name of a file");
    options.listen = text_of(values, "listen");
    if (options.listen)
        parse_listen_address(*options.listen);
    if (options.action == Options::Action::status && !options.listen)
        refuse("--status asks the run that listens where --listen says: give that, or have it in a file of "
               "options");
    if (auto every = seconds_of(values, "metrics-interval"))
        options.metrics_every = std::max<std::chrono::milliseconds>(*every, std::chrono::seconds(1));
}

void parse_run(const po::variables_map& values, Options& options) {
    options.duration = seconds_of(values, "duration");
    options.stats_every = seconds_of(values, "stats");
    if (values.count("nice")) {
        options.nice = values["nice"].as<int>();
        if (options.nice < -20 || options.nice > 19)
            refuse("--nice is a number from -20 to 19, not " + std::to_string(options.nice));
    }
    if (auto percent = text_of(values, "max-cpu"))
        options.max_cpu =
            whole_number("max-cpu", *percent, CpuBudget::most_percent, "a percentage of one CPU");
    if (auto mebibytes = text_of(values, "max-memory"))
        options.max_memory =
            whole_number("max-memory", *mebibytes, most_mebibytes, "a number of MiB") * mebibyte;
    if (auto what = text_of(values, "on-tampering")) {
        options.ends_when_tampered = *what == "end";
        if (*what != "repair" && *what != "end")
            refuse("--on-tampering is repair or end, not " + in_quotes(*what));
    }
    parse_health(values, options);
    options.keeps_rights |= values.count("keep-rights") != 0;
    if (auto level = text_of(values, "log-level")) {
        auto parsed = parse_log_level(*level);
        if (!parsed)
            refuse("--log-level is trace, debug, info, warning, error or fatal, not " + in_quotes(*level));
        options.log_level = *parsed;
    }
}

} // namespace

Groups::Groups(const SinkKinds& sinks) {
    add_events(events);
    add_sinks(events, sinks);
    add_host(kernel);
    add_kernel(kernel);
    add_run(run);
    add_other(other);
}

po::options_description Groups::all() const {
    po::options_description options = of_runs();
    options.add(other);
    return options;
}

po::options_description Groups::of_runs() const {
    po::options_description options;
    options.add(events).add(kernel).add(run);
    return options;
}

namespace {

/// Before the files of options are read.
void note_command_line(const po::parsed_options& parsed, Settings& settings) {
    for (const po::option& option : parsed.options) {
        std::vector<Setting>& all = settings[option.string_key];
        for (const std::string& value : option.value)
            all.push_back({value, "command line"});
        if (option.value.empty() && all.empty())
            all.push_back({"", "command line"});
    }
}

std::vector<std::string> files_of(const po::variables_map& values, const std::string& name) {
    const auto chosen = text_of(values, "settings");
    if (!chosen)
        return usual_files(paths::settings, name);
    return *chosen == "none" ? std::vector<std::string>() : std::vector<std::string>{*chosen};
}

} // namespace

Parsed parse(int argc, const char* const argv[], const Groups& groups, const std::string& name) {
    const po::options_description options = groups.all(), of_runs = groups.of_runs();
    po::variables_map values;
    Settings settings;
    std::vector<FileSection> sections;
    try {
        // No guessing: "--q" must not become whatever option comes to begin with it one day.
        auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        const po::parsed_options parsed = po::command_line_parser(argc, argv)
                                              .options(options)
                                              .positional(po::positional_options_description())
                                              .style(style)
                                              .run();
        po::store(parsed, values);
        note_command_line(parsed, settings);
    } catch (const po::too_many_positional_options_error&) {
        refuse("there are no positional arguments, every value needs its option");
    } catch (const po::error& error) {
        refuse(error.what());
    }
    if (!values.count("help") && !values.count("version"))
        sections = add_files(files_of(values, name), {of_runs, groups.other}, values, settings);
    std::string text = settings_text(of_runs, settings, sections);
    return {std::move(values), std::move(text), std::move(sections)};
}

Options shared_options(const Parsed& parsed, const SinkKinds& sinks) {
    const po::variables_map& values = parsed.values;
    Options options;
    options.settings = parsed.settings;
    options.action = parse_action(values);
    if (auto format = text_of(values, "format"))
        options.format = &format_named(*format);
    options.outputs = parse_outputs(parsed, sinks);
    options.silent = values.count("very-quiet");
    parse_host(values, options);
    parse_kernel(values, options);
    parse_run(values, options);
    return options;
}

std::optional<std::string> text_of(const po::variables_map& values, const char* name) {
    if (!values.count(name))
        return std::nullopt;
    return values[name].as<std::string>();
}

std::optional<std::chrono::milliseconds> seconds_of(const po::variables_map& values, const char* name) {
    if (!values.count(name))
        return std::nullopt;
    const double seconds = values[name].as<double>();
    if (!std::isfinite(seconds) || seconds < 0.001 || seconds > 1e9)
        refuse(std::string("--") + name + " takes a number of seconds from 0.001 to 1000000000");
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

std::string folder_of(const po::variables_map& values, const char* name, const std::string& usual) {
    auto folder = text_of(values, name);
    if (!folder)
        return usual;
    if (!folder->starts_with('/'))
        refuse(std::string("--") + name + " takes the path of a folder that begins with /, not " +
               in_quotes(*folder));
    folder->resize(folder->find_last_not_of('/') + 1);
    return *folder;
}

uint32_t whole_number(const char* option, const std::string& text, uint32_t most, const char* of) {
    uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end || value == 0 || value > most)
        refuse(std::string("--") + option + " takes " + of + " from 1 to " + std::to_string(most) + ", not " +
               in_quotes(text));
    return value;
}

std::string version() {
    return EBT_VERSION;
}

} // namespace telemetry::command_line
