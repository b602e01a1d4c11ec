// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "telemetry/base/log.hpp"
#include "telemetry/sink/diagnostics.hpp"
#include "test/unit/sink/sink_support.hpp"

using namespace sink_test;

namespace {

TEST(Diagnostics, WaitForNobody) {
    Pipe pipe;
    Diagnostics diagnostics(pipe.writer.get());
    const auto begin = Clock::now();
    constexpr uint64_t count = 20'000; // far more than the pipe and the queue hold
    for (uint64_t i = 0; i < count; ++i)
        diagnostics.put(numbered_line(static_cast<int>(i)));
    EXPECT_LT(Clock::now() - begin, 2s);
    EXPECT_GT(diagnostics.dropped(), 0U);
    std::string all;
    for (std::string part = read_available(pipe.reader.get()); !part.empty();) {
        all += part;
        diagnostics.flush();
        part = read_available(pipe.reader.get());
    }
    EXPECT_EQ(expect_whole_lines(all) + diagnostics.dropped(), count);
}

TEST(Diagnostics, TakeLinesOfSeveralThreads) {
    Pipe pipe;
    Diagnostics diagnostics(pipe.writer.get());
    constexpr int threads = 4, count = 20'000;
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < threads; ++thread)
        writers.emplace_back([&] {
            for (int i = 0; i < count; ++i)
                diagnostics.put(numbered_line(7));
        });
    std::string all;
    for (int i = 0; i < 5; ++i) { // while they write
        all += read_available(pipe.reader.get());
        diagnostics.flush();
    }
    writers.clear();
    for (std::string part = read_available(pipe.reader.get()); !part.empty();) {
        all += part;
        diagnostics.flush();
        part = read_available(pipe.reader.get());
    }
    const std::vector<std::string> lines = lines_of(all);
    EXPECT_EQ(std::ranges::count(lines, numbered_line(7)), static_cast<ptrdiff_t>(lines.size()));
    EXPECT_EQ(lines.size() + diagnostics.dropped(), uint64_t{threads} * count);
}

TEST(Diagnostics, SayHowManyLinesWereDropped) {
    Pipe pipe;
    Diagnostics diagnostics(pipe.writer.get());
    start_log(LogLevel::info, false, "test", [&](std::string_view line) { diagnostics.put(line); });
    for (int i = 0; i < 3'000; ++i)
        diagnostics.put(numbered_line(i));
    const uint64_t dropped = diagnostics.dropped();
    ASSERT_GT(dropped, 0U);
    std::string all;
    for (int i = 0; i < 5; ++i) {
        all += read_available(pipe.reader.get());
        diagnostics.flush();
    }
    const std::string message =
        "test: warning: standard error took nothing for a while: " + std::to_string(dropped) +
        " lines of diagnostics were dropped\n";
    EXPECT_THAT(all, testing::EndsWith(message));
    EXPECT_EQ(all.find("dropped"), all.rfind("dropped"));
    start_log(LogLevel::info, true, "test", [](std::string_view) {});
}

TEST(Diagnostics, ATextOfSeveralLinesIsWholeOrNotThereAtAll) {
    Pipe pipe;
    Diagnostics diagnostics(pipe.writer.get());
    const std::string text = "begin\n" + std::string(3000, 'x') + "\nend\n";
    for (int i = 0; i < 200; ++i)
        diagnostics.put(text);
    std::string all = read_available(pipe.reader.get());
    diagnostics.flush();
    all += read_available(pipe.reader.get());
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.size() % text.size(), 0U);
    EXPECT_EQ(all.size() / text.size() * 3 + diagnostics.dropped(), 600U);
}

TEST(Diagnostics, AClosedDescriptorGetsNothing) {
    Diagnostics diagnostics(-1);
    diagnostics.put("line\n");
    diagnostics.flush();
    diagnostics.finish();
    EXPECT_EQ(diagnostics.dropped(), 0U);
}

} // namespace
