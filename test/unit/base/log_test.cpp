// SPDX-License-Identifier: MIT
#include "telemetry/base/log.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>

using namespace telemetry;
using testing::ElementsAre;

namespace {

std::vector<std::string> logged_with(const std::string& journal_stream) {
    std::vector<std::string> lines;
    setenv("JOURNAL_STREAM", journal_stream.c_str(), 1);
    start_log(LogLevel::debug, false, "t", [&](std::string_view line) { lines.emplace_back(line); });
    unsetenv("JOURNAL_STREAM");
    log(LogLevel::debug, "a");
    log(LogLevel::info, "b");
    log(LogLevel::warning, "c");
    log(LogLevel::error, "d");
    log(LogLevel::fatal, "e");
    start_log(LogLevel::info, true, "t", [](std::string_view) {});
    return lines;
}

std::string standard_error() {
    struct stat status {};
    fstat(STDERR_FILENO, &status);
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

} // namespace

TEST(Log, HasPrioritiesForTheJournalAlone) {
    EXPECT_THAT(logged_with(standard_error()),
                ElementsAre("<7>t: debug: a\n", "<6>t: info: b\n", "<4>t: warning: c\n", "<3>t: error: d\n",
                            "<2>t: fatal: e\n"));
    // Of the process that started this one, whose streams went there.
    EXPECT_THAT(logged_with("1:1"), ElementsAre("t: debug: a\n", "t: info: b\n", "t: warning: c\n",
                                                "t: error: d\n", "t: fatal: e\n"));
}
