// SPDX-License-Identifier: MIT
#include "telemetry/report/command.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/recorded/arguments.hpp"
#include "telemetry/recorded/file.hpp"
#include "telemetry/report/columns.hpp"
#include "telemetry/report/page.hpp"

namespace telemetry {

namespace {

using nlohmann::json;

constexpr std::string_view usage = R"(Usage: ebpf_telemetry report FILE... --html OUT
Makes a page of recorded events, to look at in a browser: processes and what they did, by time. The page
is one file, loads nothing from the network, and holds all that the events say: keep it as they are kept.

  FILE        lines of -f json, also compressed by gzip or zstd; - is standard input
  --html OUT  the page; - is standard output

Exit status: 0 success, 1 a line could not be read (the page has the others), 2 wrong
arguments or files, 9 the page could not be written.
)";

constexpr const char* name = "report";

RecordedArguments parse(std::span<const char* const> given) {
    RecordedArguments arguments = parse_recorded(given, name, "--html");
    if (!arguments.help && (arguments.files.empty() || arguments.value.empty()))
        refuse_arguments(name, "report takes files of recorded events, and --html with the name of the page");
    return arguments;
}

/// Adds a file's events; returns what there is to say of it.
json add_file(const std::string& path, report::Columns& columns) {
    RecordedFile file(path);
    uint64_t unreadable = 0, first_unreadable = 0;
    bool is_cut = false;
    const size_t before = columns.events();
    std::string_view line;
    while (file.next(line)) {
        if (line.empty() || columns.add(line))
            continue;
        if (file.is_unfinished()) { // it is being written to, or the machine went down
            is_cut = true;
            continue;
        }
        if (unreadable++ == 0)
            first_unreadable = file.line_number();
    }
    if (unreadable)
        log(LogLevel::warning, in_quotes(path, 200) + ", line " + std::to_string(first_unreadable) +
                                   ": not an event of -f json; " + std::to_string(unreadable) +
                                   " such lines are not in the page");
    return {{"file", in_quotes(path, 200)}, // it may be any bytes
            {"events", columns.events() - before},
            {"unreadable", unreadable},
            {"first_unreadable", first_unreadable},
            {"cut", is_cut}};
}

bool write(const std::string& path, std::string_view data, const std::vector<std::string>& blocks) {
    if (path == "-") {
        report::write_page(std::cout, data, blocks);
        return static_cast<bool>(std::cout.flush());
    }
    const mode_t before = umask(077); // it holds what only root could record
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    umask(before);
    report::write_page(out, data, blocks);
    return static_cast<bool>(out.flush());
}

} // namespace

int report_command(std::span<const char* const> given) {
    const RecordedArguments arguments = parse(given);
    if (arguments.help) {
        std::cout << usage;
        return std::cout.flush() ? exit_ok : exit_output;
    }
    report::Columns columns;
    json about = json::array();
    bool is_whole = true;
    for (const std::string& path : arguments.files) {
        about.push_back(add_file(path, columns));
        is_whole &= about.back()["unreadable"] == 0;
    }
    if (columns.events() == 0)
        refuse_arguments(name, "there is no event in " + in_quotes(arguments.files.front(), 200) +
                                   (arguments.files.size() > 1 ? " nor in the others" : "") +
                                   ": a page is made of what -f json writes");
    if (!write(arguments.value, columns.finish(about), columns.blocks())) {
        log(LogLevel::fatal, "cannot write " + in_quotes(arguments.value, 200) + ": " + std::strerror(errno));
        return exit_output;
    }
    return is_whole ? exit_ok : exit_fault;
}

} // namespace telemetry
