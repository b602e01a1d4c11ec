// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>

#include <ebpf_loader/error.hpp>

#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/child.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::HasSubstr;

TEST(StreamSink, WritesThroughAPipeWhatFitsAtOnceAndWhatDoesNot) {
    Pipe pipe;
    Reader reader(pipe.reader.get(), 1000);
    auto sink = make_stream_sink(pipe.writer.get(), "standard output", small(5s));
    write_lines(*sink, 0, 20000);
    sink->finish();
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
    EXPECT_FALSE(sink->broken());
    const bool blocking = !(fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(blocking) << "the descriptor is not ours to change";
    // The sink has an open file of its own to the pipe: the reader sees the end once both are closed.
    sink.reset();
    pipe.writer = UniqueFd();
    EXPECT_EQ(expect_whole_lines(reader.all()), 20000U);
}

TEST(StreamSink, NothingIsWrittenBeforeFlushOrAFullBuffer) {
    Pipe pipe;
    const auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
    sink->write("one\n", 1);
    EXPECT_EQ(read_available(pipe.reader.get()), "");
    sink->flush();
    EXPECT_EQ(read_available(pipe.reader.get()), "one\n");
    sink->write(std::string(20000, 'y') + "\n", 1); // more than the buffer holds
    EXPECT_EQ(read_available(pipe.reader.get()).size(), 20001U);
}

TEST(StreamSink, AReaderThatTakesNothingCostsLinesAndNotTime) {
    Pipe pipe;
    auto sink = make_stream_sink(pipe.writer.get(), "standard output", small(100ms));
    const auto begin = Clock::now();
    constexpr int count = 20000; // far more than pipe and buffer hold
    write_lines(*sink, 0, count);
    sink->flush();
    EXPECT_LT(Clock::now() - begin, 3s) << "waited for more than once";
    EXPECT_GT(sink->lost(), 0U);
    EXPECT_FALSE(sink->broken());
    EXPECT_EQ(sink->error(), "standard output: the reader does not keep up");

    std::string got = read_available(pipe.reader.get()); // it reads again
    sink->flush();
    got += read_available(pipe.reader.get());
    write_lines(*sink, count, count + 10);
    sink->finish();
    got += read_available(pipe.reader.get());
    EXPECT_EQ(expect_whole_lines(got) + sink->lost(), count + 10U);
    EXPECT_THAT(got, testing::EndsWith(numbered_line(count + 9)));
}

TEST(StreamSink, WhatIsLeftAtTheEndIsLostAndCounted) {
    Pipe pipe;
    auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
    const std::string lines(1000, '\n');
    uint64_t written = 0;
    for (int i = 0; i < 200; ++i, written += 1000)
        sink->write(lines, 1000);
    sink->finish();
    const std::string got = read_available(pipe.reader.get());
    EXPECT_EQ(got.size() + sink->lost(), written);
    EXPECT_GT(sink->lost(), 0U);
}

/// Of audit records an event is several. What was begun and not finished counts, too.
TEST(StreamSink, EventsAreCountedAndNotTheirRecords) {
    Pipe pipe;
    auto sink = make_stream_sink(pipe.writer.get(), "standard output", small(100ms));
    constexpr uint64_t count = 3000; // more than a pipe holds
    std::string lines;
    for (uint64_t event = 0; event < count; ++event)
        for (const char* type : {"SYSCALL", "CWD", "EOE"})
            lines.append("type=")
                .append(type)
                .append(" msg=audit(1.000:")
                .append(std::to_string(event))
                .append("):\n");
    sink->write(lines, count);
    sink->finish();
    const auto got = lines_of(read_available(pipe.reader.get()));
    const auto whole = static_cast<uint64_t>(
        std::ranges::count_if(got, [](const std::string& line) { return line.starts_with("type=EOE"); }));
    EXPECT_GT(whole, 0U);
    EXPECT_GE(whole + sink->lost(), count);
    EXPECT_LE(whole + sink->lost(), count + 1) << "of the record that was cut nobody knows whose it is";
}

/// Lines that tell losses are no events: what is lost of them must not upset the balance.
TEST(StreamSink, OnlyEventsAreLost) {
    Pipe pipe;
    auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
    for (int i = 0; i < 1200; ++i) {
        sink->write("event\nevent\nevent\n" + std::string(60, 'e') + "\n", 4);
        sink->write("loss\n", 0);
    }
    sink->finish();
    const auto lines = lines_of(read_available(pipe.reader.get()));
    const auto losses = std::ranges::count(lines, "loss\n");
    EXPECT_GT(sink->lost(), 0U);
    EXPECT_EQ(lines.size() - static_cast<size_t>(losses) + sink->lost(), 4800U);
    pipe.reader = UniqueFd();
    sink->write("loss\n", 0);
    sink->write("event\n", 1);
    const uint64_t before = sink->lost();
    sink->finish();
    EXPECT_EQ(sink->lost(), before + 1);
}

TEST(StreamSink, AClosedReaderIsTheEnd) {
    Pipe pipe;
    const auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
    pipe.reader = UniqueFd();
    sink->write("one\n", 1); // must not die of SIGPIPE
    EXPECT_FALSE(sink->broken());
    sink->flush();
    EXPECT_TRUE(sink->broken());
    EXPECT_EQ(sink->lost(), 1U);
    EXPECT_EQ(sink->error(), "standard output: Broken pipe");
    sink->write("two\nthree\n", 2);
    EXPECT_EQ(sink->lost(), 3U);
}

TEST(StreamSink, AReaderThatLeavesWhileItIsWaitedFor) {
    Pipe pipe;
    const auto sink = make_stream_sink(pipe.writer.get(), "standard output", small(10s));
    std::thread reader([&] {
        std::this_thread::sleep_for(100ms);
        pipe.reader = UniqueFd();
    });
    const auto begin = Clock::now();
    write_lines(*sink, 0, 2000);
    sink->finish();
    EXPECT_LT(Clock::now() - begin, 8s);
    EXPECT_TRUE(sink->broken());
    reader.join();
}

TEST(StreamSink, SocketsToo) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    const auto sink = make_stream_sink(writer.get(), "standard output", small());
    write_lines(*sink, 0, 20000);
    EXPECT_GT(sink->lost(), 0U);
    sink->flush();
    std::string got = read_available(reader.get());
    sink->flush();
    got += read_available(reader.get());
    EXPECT_EQ(expect_whole_lines(got) + sink->lost(), 20000U);
    reader = UniqueFd();
    sink->write("x\n", 1);
    sink->flush();
    EXPECT_TRUE(sink->broken());
}

/// Where /proc is not to be had, the descriptor cannot be opened anew and must be asked each time.
TEST(StreamSink, ABlockingPipeWithoutProc) {
    const std::string report = in_child([] {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", "/proc", "tmpfs", 0, nullptr) != 0)
            return std::string("skip");
        Pipe pipe;
        const auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
        write_lines(*sink, 0, 20000);
        sink->flush();
        const std::string got = read_available(pipe.reader.get());
        sink->finish();
        const std::string rest = read_available(pipe.reader.get());
        const auto count = static_cast<uint64_t>(std::ranges::count(got + rest, '\n'));
        return std::string(count + sink->lost() == 20000 && sink->lost() > 0 ? "balanced" : "not balanced");
    });
    if (report == "skip")
        GTEST_SKIP() << "StreamSink.ABlockingPipeWithoutProc: cannot mount over /proc here";
    EXPECT_EQ(report, "balanced");
}

TEST(StreamSink, ATerminalThatIsGone) {
    UniqueFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(master);
    ASSERT_EQ(grantpt(master.get()), 0);
    ASSERT_EQ(unlockpt(master.get()), 0);
    const UniqueFd terminal(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    const auto sink = make_stream_sink(terminal.get(), "standard output", small());
    sink->write("hello\n", 1);
    sink->flush();
    EXPECT_EQ(read_available(master.get()), "hello\r\n");
    write_lines(*sink, 0, 5000); // nobody reads
    EXPECT_GT(sink->lost(), 0U);
    EXPECT_FALSE(sink->broken());
    master = UniqueFd();
    sink->finish();
    EXPECT_TRUE(sink->broken());
}

TEST(StreamSink, AFullDeviceLosesAndGoesOn) {
    const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full);
    const auto sink = make_stream_sink(full.get(), "standard output", small());
    write_lines(*sink, 0, 1000);
    sink->finish();
    EXPECT_EQ(sink->lost(), 1000U);
    EXPECT_FALSE(sink->broken());
    EXPECT_EQ(sink->error(), "standard output: No space left on device");
}

TEST(StreamSink, AClosedDescriptorIsRefused) {
    try {
        make_stream_sink(1023, "standard output");
        FAIL() << "no error";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
        EXPECT_THAT(error.what(), HasSubstr("standard output: Bad file descriptor"));
    }
}

/// Standard output to a file shared with others, which is not in append mode.
TEST(StreamSink, AFileFromTheShellIsNotCutEither) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    in_child([&] {
        const rlimit limit = {10'000, 10'000};
        setrlimit(RLIMIT_FSIZE, &limit);
        const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        const auto sink = make_stream_sink(file.get(), "standard output", small());
        write_lines(*sink, 0, 1000);
        return std::string();
    });
    EXPECT_GT(expect_whole_lines(contents(path)), 60U);
}
