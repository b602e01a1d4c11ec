// SPDX-License-Identifier: MIT
#include "telemetry/sink/aside/aside_sink.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <pty.h>

#include "test/unit/sink/sink_support.hpp"

using namespace sink_test;

namespace {

constexpr AsideSink::Options options = {.most_bytes = 256 << 10, .patience = 300ms};

std::unique_ptr<AsideSink> sink_to(int fd) {
    return std::make_unique<AsideSink>(make_stream_sink(fd, "standard output"), options);
}

/// The longest that one call took.
Clock::duration longest_write(Sink& sink, int lines) {
    Clock::duration longest{};
    for (int number = 0; number < lines; ++number) {
        const auto begin = Clock::now();
        sink.write(numbered_line(number), 1);
        sink.flush();
        longest = std::max(longest, Clock::now() - begin);
    }
    return longest;
}

/// A terminal that shows nothing until somebody looks.
struct Pty {
    Pty() {
        int ends[2];
        termios raw = {};
        cfmakeraw(&raw);
        if (openpty(&ends[0], &ends[1], nullptr, &raw, nullptr) != 0)
            throw std::runtime_error("openpty");
        reader = UniqueFd(ends[0]);
        terminal = UniqueFd(ends[1]);
    }
    UniqueFd reader;
    UniqueFd terminal;
};

void expect_no_wait(int writer, int reader) {
    const auto sink = sink_to(writer);
    constexpr int count = 20'000; // some 2 MB
    // On a busy machine the thread may be off its CPU for a while; the reader is never waited for a second.
    EXPECT_LT(longest_write(*sink, count), 200ms);
    EXPECT_GT(sink->lost(), 1000U);
    EXPECT_LE(sink->queued_bytes(), options.most_bytes);
    EXPECT_FALSE(sink->broken());
    EXPECT_EQ(sink->error(), "standard output: the reader does not keep up");
    std::string got;
    EXPECT_TRUE(eventually([&] { // it reads again
        got += read_available(reader);
        return sink->queued_bytes() == 0;
    }));
    sink->write(numbered_line(count), 1);
    sink->finish();
    got += read_available(reader);
    EXPECT_EQ(expect_whole_lines(got) + sink->lost(), count + 1U);
    EXPECT_TRUE(got.ends_with(numbered_line(count)));
}

TEST(AsideSink, NobodyWaitsForAPipeThatIsNotRead) {
    Pipe pipe;
    expect_no_wait(pipe.writer.get(), pipe.reader.get());
}

TEST(AsideSink, NobodyWaitsForATerminalThatIsStopped) {
    Pty pty;
    expect_no_wait(pty.terminal.get(), pty.reader.get());
}

TEST(AsideSink, AReaderThatIsSlowGetsAll) {
    Pipe pipe;
    Reader reader(pipe.reader.get(), 4096, 1ms);
    auto sink = sink_to(pipe.writer.get());
    write_lines(*sink, 0, 2000); // within what may wait
    sink->finish();
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "") << "nothing went wrong";
    sink.reset();
    pipe.writer = UniqueFd();
    EXPECT_EQ(expect_whole_lines(reader.all()), 2000U);
}

TEST(AsideSink, WritesWithoutBeingAskedTo) {
    Pipe pipe;
    const auto sink = sink_to(pipe.writer.get());
    sink->write("one\n", 1);
    std::string got;
    EXPECT_TRUE(eventually([&] { return (got += read_available(pipe.reader.get())) == "one\n"; }));
}

TEST(AsideSink, TheEndWaitsForAReaderThatTakesNothingOnce) {
    Pipe pipe;
    const auto sink = sink_to(pipe.writer.get());
    write_lines(*sink, 0, 2000);
    const auto begin = Clock::now();
    sink->finish();
    sink->write(numbered_line(2000), 1); // what other outputs' ends have to say
    sink->finish();
    EXPECT_GE(Clock::now() - begin, options.patience);
    EXPECT_LT(Clock::now() - begin, 5 * options.patience);
    const std::string got = read_available(pipe.reader.get());
    const std::string whole = got.substr(0, got.rfind('\n') + 1); // one may have been begun
    EXPECT_EQ(expect_whole_lines(whole) + sink->lost(), 2001U);
    EXPECT_EQ(sink->queued_bytes(), 0U);
}

TEST(AsideSink, WhatOtherOutputsSayAtTheirEndIsWritten) {
    Pipe pipe;
    const auto sink = sink_to(pipe.writer.get());
    write_lines(*sink, 0, 10);
    sink->finish();
    write_lines(*sink, 10, 12);
    sink->finish();
    EXPECT_EQ(expect_whole_lines(read_available(pipe.reader.get())), 12U);
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(AsideSink, AReaderThatHasGoneIsSeen) {
    Pipe pipe;
    const auto sink = sink_to(pipe.writer.get());
    pipe.reader = UniqueFd();
    write_lines(*sink, 0, 10);
    EXPECT_TRUE(eventually([&] { return sink->broken(); }));
    EXPECT_NE(sink->error().find("Broken pipe"), std::string::npos) << sink->error();
    sink->finish();
    EXPECT_EQ(sink->lost(), 10U);
}

TEST(AsideSink, IsForReadersAlone) {
    Pipe pipe;
    const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
    const auto aside = without_waiting(make_stream_sink(pipe.writer.get(), "standard output"));
    const auto device = without_waiting(make_stream_sink(null.get(), "standard output"));
    EXPECT_NE(dynamic_cast<AsideSink*>(aside.get()), nullptr);
    EXPECT_EQ(dynamic_cast<AsideSink*>(device.get()), nullptr);
}

} // namespace
