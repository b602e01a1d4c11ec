// SPDX-License-Identifier: MIT
#include "imds/tracker_options.hpp"

#include <cmath>
#include <sstream>

#include <boost/program_options.hpp>
#include <ebpf_loader/error.hpp>

namespace telemetry::imds {

namespace {

namespace po = boost::program_options;
using Seconds = std::chrono::duration<double>;
using Texts = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why + "; see --help");
}

po::options_description event_options() {
    po::options_description options("Events");
    auto add = options.add_options();
    add("format,f", po::value<std::string>()->value_name("NAME"),
        "text (default) or json: one line an event either way");
    add("output,o", po::value<Texts>()->value_name("FILE"),
        "append events to FILE instead of the screen; again for a further file; - is the screen");
    add("syslog,s", "send events to syslog too (facility user, ident ebpf-telemetry)");
    add("datadog", "send events to Datadog too; DD_API_KEY and DD_SITE from the environment");
    add("unsafe", "show bodies and whole URLs, with the secrets in them");
    add("user-stack-trace", "the caller's stack in user memory with each request");
    add("endpoints", po::value<Texts>()->value_name("FILE"),
        "further addresses to watch, as rules/imds-endpoints.conf has them; again for a further file");
    add("colour", po::value<std::string>()->value_name("WHEN"),
        "auto (default: on a terminal, unless NO_COLOR is set), always or never");
    add("quiet,q", "no events on the screen; diagnostics stay");
    add("very-quiet,Q", "nothing at all on the screen");
    return options;
}

po::options_description kernel_options() {
    po::options_description options("Kernel");
    auto add = options.add_options();
    add("config,c", po::value<std::string>()->value_name("FILE"),
        "kernel offsets from FILE, as get_offsets writes it; none: from the kernel alone");
    add("vmlinux", po::value<std::string>()->value_name("PATH"),
        "kernel offsets from the BTF in PATH: an ELF image or raw BTF");
    add("any-release", "accept a config that was made for another kernel release");
    add("tier", po::value<std::string>()->value_name("NAME"),
        "tp, raw_tp_sub4096, raw_tp_noloops or raw_tp; without it, the best that loads");
    add("buffer-size", po::value<std::string>()->value_name("BYTES"),
        "of the ring buffer, or of each CPU's perf buffer; K, M and G are understood");
    add("proc", po::value<std::string>()->value_name("PATH"), "where the host's /proc is (default /proc)");
    return options;
}

po::options_description run_options() {
    po::options_description options("Run");
    auto add = options.add_options();
    add("duration", po::value<std::string>()->value_name("SECONDS"), "end by itself after so long");
    add("summary", po::value<double>()->implicit_value(0, "")->value_name("[=SECONDS]"),
        "a table of services with their requests of v1, v2 and for credentials, at the end; with a "
        "number, every so often too");
    add("stats", po::value<std::string>()->value_name("SECONDS"),
        "print what was seen, emitted and lost every so often; the end prints it anyway");
    add("log-level", po::value<std::string>()->value_name("LEVEL"),
        "trace, debug, info (default), warn, error, fatal or panic: diagnostics, on standard error");
    return options;
}

po::options_description other_options() {
    po::options_description options("Instead of a run");
    auto add = options.add_options();
    add("check", "check endpoints and kernel offsets, and end");
    add("probe", "tell what this kernel can, which tier fits and why no better one; -f json too");
    add("help,h", "print this");
    add("version,V", "print the version");
    return options;
}

po::options_description all_options() {
    po::options_description options;
    options.add(event_options()).add(kernel_options()).add(run_options()).add(other_options());
    return options;
}

/// The names that users of other trackers know.
std::string log_level(const std::string& name) {
    return name == "panic" ? "fatal" : name == "warn" ? "warning" : name;
}

/// What ebpf_telemetry has as well means the same here, and is checked in one place.
Options parse_common(const po::variables_map& values) {
    Texts words = {"imds-tracker"};
    for (const char* name :
         {"syslog", "quiet", "very-quiet", "any-release", "check", "probe", "help", "version"})
        if (values.count(name))
            words.push_back(std::string("--") + name);
    for (const char* name : {"format", "config", "vmlinux", "tier", "buffer-size", "duration", "stats"})
        if (values.count(name))
            words.push_back(std::string("--") + name + '=' + values[name].as<std::string>());
    if (values.count("log-level"))
        words.push_back("--log-level=" + log_level(values["log-level"].as<std::string>()));
    if (values.count("output"))
        for (const std::string& file : values["output"].as<Texts>())
            words.push_back("--output=" + file);
    std::vector<const char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(word.c_str());
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TrackerOptions::Colour parse_colour(const std::string& when) {
    if (when == "auto")
        return TrackerOptions::Colour::automatic;
    if (when == "always")
        return TrackerOptions::Colour::always;
    if (when == "never")
        return TrackerOptions::Colour::never;
    refuse("--colour is auto, always or never, not \"" + when + "\"");
}

void parse_summary(const po::variables_map& values, TrackerOptions& options) {
    options.summary = values.count("summary");
    if (!options.summary)
        return;
    const double seconds = values["summary"].as<double>();
    if (seconds == 0)
        return;
    if (!std::isfinite(seconds) || seconds < 0.001 || seconds > 1e9)
        refuse("--summary takes a number of seconds above 0, or none");
    options.summary_every = std::chrono::duration_cast<std::chrono::milliseconds>(Seconds(seconds));
}

TrackerOptions interpret(const po::variables_map& values) {
    TrackerOptions options;
    options.common = parse_common(values);
    options.datadog = values.count("datadog");
    options.unsafe = values.count("unsafe");
    options.user_stack_trace = values.count("user-stack-trace");
    if (values.count("proc"))
        options.proc_root = values["proc"].as<std::string>();
    if (options.proc_root.empty())
        refuse("--proc takes the path of a mounted /proc");
    if (values.count("endpoints"))
        options.endpoints = values["endpoints"].as<Texts>();
    if (values.count("colour"))
        options.colour = parse_colour(values["colour"].as<std::string>());
    parse_summary(values, options);
    return options;
}

constexpr std::string_view examples = R"(
Examples:
  sudo imds-tracker
      who asks the metadata service for what, on the screen; Ctrl-C ends
  sudo imds-tracker --summary -q --duration 3600
      an hour of counting: which services still use IMDSv1?
  sudo imds-tracker -f json -o /var/log/imds.json
      as JSON, to a file (SIGHUP: opened anew)
  sudo DD_API_KEY=... DD_SITE=datadoghq.eu imds-tracker --datadog -q
      to Datadog alone
  sudo imds-tracker --endpoints my-endpoints.conf
      a metadata service of one's own too

Session tokens, credentials, user data and the values of queries are never shown, but for
their length, unless --unsafe asks for them.

Datadog: DD_API_KEY, DD_SITE (default datadoghq.com), DD_LOGS_URL (another intake),
DD_PROXY_HTTPS, DD_PROXY_HTTP and DD_PROXY_NO_PROXY, or HTTPS_PROXY and NO_PROXY.

Exit status: 0 all well, 1 a fault of the program, 2 wrong option or file, 3 missing
privileges, 4 kernel lockdown, 5 no tracefs, 6 no usable kernel offsets, 7 the kernel
refused every tier, 8 out of memory or buffers, 9 an output broke.
)";

} // namespace

TrackerOptions parse_tracker_options(int argc, const char* const argv[]) {
    try {
        po::variables_map values;
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

std::string tracker_help() {
    std::ostringstream out;
    out << "Usage: imds-tracker [options]\n"
           "Reports which process calls the instance metadata service, how and for what.\n"
        << all_options() << examples;
    return out.str();
}

std::string tracker_version_number() {
    return EBT_VERSION;
}

std::string tracker_version() {
    return "imds-tracker " EBT_VERSION "\n";
}

} // namespace telemetry::imds
