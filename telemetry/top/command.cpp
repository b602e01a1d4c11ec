// SPDX-License-Identifier: MIT
#include "telemetry/top/command.hpp"

#include <atomic>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/activity/document.hpp"
#include "telemetry/base/escape.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/recorded/arguments.hpp"
#include "telemetry/recorded/file.hpp"
#include "telemetry/top/recorded_event.hpp"
#include "telemetry/top/show.hpp"

namespace telemetry {

namespace {

constexpr std::string_view usage = R"(Usage: ebpf_telemetry top FILE... [--format text|json]
Shows who did most in recorded events, on the terminal: by process, executable, user, container, call and
key. ? lists the keys. Where standard output is no terminal, or with --format, it prints the
tables of --summary instead.

  FILE             lines of -f json, also compressed by gzip or zstd; - is standard input
  -f, --format F   print tables as text or json

Exit status: 0 success, 1 a line could not be read (the others are counted), 2 wrong
arguments or files, 9 the tables could not be written.
)";

constexpr const char* name = "top";

RecordedArguments parse(std::span<const char* const> given) {
    RecordedArguments arguments = parse_recorded(given, name, "--format", "-f");
    if (!arguments.help && arguments.files.empty())
        refuse_arguments(name, "top takes files of recorded events");
    if (!arguments.value.empty() && arguments.value != "text" && arguments.value != "json")
        refuse_arguments(name, "--format of top is text or json, not " + in_quotes(arguments.value));
    return arguments;
}

/// Lines that are no events.
struct Unreadable {
    uint64_t lines = 0;
    std::string first; ///< "file: line 3"
};

/// `turn` is called after each event; false: it is enough.
template <class Turn>
void read_file(const std::string& path, top::RecordedCounter& counter, top::Interval*& into,
               Unreadable& unreadable, Turn turn) {
    RecordedFile file(path);
    std::string_view line;
    while (file.next(line)) {
        if (!counter.count(line, *into) && !line.empty() && !file.is_unfinished()) {
            if (unreadable.lines++ == 0)
                unreadable.first = in_quotes(path, 200) + ": line " + std::to_string(file.line_number());
        }
        if (!turn())
            return;
    }
}

int tell(const Unreadable& unreadable) {
    if (unreadable.lines == 0)
        return exit_ok;
    log(LogLevel::warning,
        std::to_string(unreadable.lines) + " lines are no events, the first: " + unreadable.first);
    return exit_fault;
}

int print_tables(const RecordedArguments& arguments) {
    auto interval = std::make_unique<top::Interval>();
    top::Interval* into = interval.get();
    top::RecordedCounter counter;
    Unreadable unreadable;
    for (const std::string& path : arguments.files)
        read_file(path, counter, into, unreadable, [] { return true; });
    const double seconds = static_cast<double>(interval->last_time - interval->first_time) / 1e9;
    const ActivityDocument document(interval->activity, seconds, "");
    std::cout << (arguments.value == "json" ? document.json() : document.text());
    const int status = tell(unreadable);
    return std::cout.flush() ? status : exit_output;
}

/// The reader is a thread of its own: one sees what is there while the rest is read.
int show_files(const RecordedArguments& arguments) {
    top::RecordedCounter counter; // its names of calls are in the tables
    top::Feed feed;
    Unreadable unreadable;
    std::exception_ptr error;
    const auto read = [&] {
        try {
            for (const std::string& path : arguments.files) {
                top::Interval* into = &feed.filling();
                read_file(path, counter, into, unreadable, [&] {
                    feed.offer();
                    into = &feed.filling();
                    return !feed.is_closed();
                });
            }
        } catch (...) {
            error = std::current_exception();
        }
        feed.finish();
    };
    std::string title = "ebpf_telemetry top: " + arguments.files.front();
    if (arguments.files.size() > 1)
        title += " and " + std::to_string(arguments.files.size() - 1) + " more";
    {
        top::Screen screen;
        std::jthread reader(read);
        const std::atomic<bool> never = false;
        top::show(screen, feed, {.title = title, .rules_file = "", .is_recorded = true}, never);
        feed.close();
    }
    if (error)
        std::rethrow_exception(error);
    return tell(unreadable);
}

} // namespace

int top_command(std::span<const char* const> given) {
    const RecordedArguments arguments = parse(given);
    if (arguments.help) {
        std::cout << usage;
        return std::cout.flush() ? exit_ok : exit_output;
    }
    return arguments.value.empty() && is_terminal() ? show_files(arguments) : print_tables(arguments);
}

} // namespace telemetry
