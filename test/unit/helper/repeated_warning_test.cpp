// SPDX-License-Identifier: MIT
#include "telemetry/helper/repeated_warning.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

using namespace telemetry;
using testing::ElementsAre;

TEST(RepeatedWarning, IsLoggedAtOnceAndThenSeldomWithHowManyWereLeftOut) {
    using namespace std::chrono_literals;
    std::vector<std::string> lines;
    start_log(LogLevel::info, false, "t", [&](std::string_view line) { lines.emplace_back(line); });
    RepeatedWarning warning(1min);
    const auto begin = RepeatedWarning::Clock::now();
    for (const auto after : {0s, 1s, 59s, 60s, 119s, 300s})
        warning.tell("at " + std::to_string(after.count()), begin + after);
    start_log(LogLevel::info, true, "t", [](std::string_view) {});
    EXPECT_THAT(lines,
                ElementsAre(testing::EndsWith("warning: at 0\n"),
                            testing::EndsWith("warning: at 60 (and 2 more since the last such line)\n"),
                            testing::EndsWith("warning: at 300 (and 1 more since the last such line)\n")));
}
