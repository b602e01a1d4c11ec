// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/owned_fd.hpp"
#include "telemetry/sink/sinks.hpp"
#include "test/unit/support/child.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

using Clock = std::chrono::steady_clock;

/// Lines that tell their number, so that a lost, cut or repeated one is seen.
std::string numbered_line(int number) {
    return "line " + std::to_string(number) + " " + std::string(static_cast<size_t>(50 + number % 90), 'x') +
           "\n";
}

std::vector<std::string> lines_of(const std::string& bytes) {
    std::vector<std::string> lines;
    std::istringstream in(bytes);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line + "\n");
    return lines;
}

/// Every line is whole and they come in order; returns how many there are.
uint64_t expect_whole_lines(const std::string& bytes) {
    EXPECT_TRUE(bytes.empty() || bytes.back() == '\n') << "a cut line at the end";
    int last = -1;
    uint64_t count = 0;
    for (const std::string& line : lines_of(bytes)) {
        const int number = line.starts_with("line ") ? std::atoi(line.c_str() + 5) : -1;
        EXPECT_EQ(line, numbered_line(number));
        EXPECT_GT(number, last);
        last = number;
        ++count;
    }
    return count;
}

std::string contents(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

std::string read_available(int fd) {
    std::string all;
    char part[65536];
    pollfd descriptor = {fd, POLLIN, 0};
    while (poll(&descriptor, 1, 100) > 0) {
        const ssize_t got = read(fd, part, sizeof part);
        if (got <= 0)
            break;
        all.append(part, static_cast<size_t>(got));
    }
    return all;
}

struct Pipe {
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
        reader = OwnedFd(ends[0]);
        writer = OwnedFd(ends[1]);
    }
    OwnedFd reader;
    OwnedFd writer;
};

SinkOptions small(std::chrono::milliseconds patience = 50ms) {
    SinkOptions options;
    options.buffer_bytes = 16 * 1024;
    options.patience = patience;
    return options;
}

void write_lines(Sink& sink, int from, int to) {
    for (int number = from; number < to; ++number)
        sink.write(numbered_line(number), 1);
}

} // namespace

TEST(StreamSink, WritesThroughAPipeWhatFitsAtOnceAndWhatDoesNot) {
    Pipe pipe;
    std::string got;
    std::thread reader([&] {
        char part[1000];
        for (ssize_t count; (count = read(pipe.reader.get(), part, sizeof part)) > 0;)
            got.append(part, static_cast<size_t>(count));
    });
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
    pipe.writer = OwnedFd();
    reader.join();
    EXPECT_EQ(expect_whole_lines(got), 20000U);
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
    pipe.reader = OwnedFd();
    sink->write("loss\n", 0);
    sink->write("event\n", 1);
    const uint64_t before = sink->lost();
    sink->finish();
    EXPECT_EQ(sink->lost(), before + 1);
}

TEST(StreamSink, AClosedReaderIsTheEnd) {
    Pipe pipe;
    const auto sink = make_stream_sink(pipe.writer.get(), "standard output", small());
    pipe.reader = OwnedFd();
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
        pipe.reader = OwnedFd();
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
    OwnedFd reader(ends[0]);
    const OwnedFd writer(ends[1]);
    const auto sink = make_stream_sink(writer.get(), "standard output", small());
    write_lines(*sink, 0, 20000);
    EXPECT_GT(sink->lost(), 0U);
    sink->flush();
    std::string got = read_available(reader.get());
    sink->flush();
    got += read_available(reader.get());
    EXPECT_EQ(expect_whole_lines(got) + sink->lost(), 20000U);
    reader = OwnedFd();
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
    OwnedFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(master);
    ASSERT_EQ(grantpt(master.get()), 0);
    ASSERT_EQ(unlockpt(master.get()), 0);
    const OwnedFd terminal(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    const auto sink = make_stream_sink(terminal.get(), "standard output", small());
    sink->write("hello\n", 1);
    sink->flush();
    EXPECT_EQ(read_available(master.get()), "hello\r\n");
    write_lines(*sink, 0, 5000); // nobody reads
    EXPECT_GT(sink->lost(), 0U);
    EXPECT_FALSE(sink->broken());
    master = OwnedFd();
    sink->finish();
    EXPECT_TRUE(sink->broken());
}

TEST(StreamSink, AFullDeviceLosesAndGoesOn) {
    const OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
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

TEST(FileSink, MakesTheFileForItsOwnerAloneAndAppends) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const mode_t old = umask(0);
    for (int run = 0; run < 2; ++run) {
        const auto sink = make_file_sink(path);
        sink->write("run\n", 1);
        sink->finish();
        EXPECT_EQ(sink->lost(), 0U);
    }
    umask(old);
    EXPECT_EQ(contents(path), "run\nrun\n");
    struct stat status = {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(FileSink, FlushesWhenItGoes) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    make_file_sink(path)->write("last words\n", 1);
    EXPECT_EQ(contents(path), "last words\n");
}

TEST(FileSink, ReopensAfterRotation) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const auto sink = make_file_sink(path);
    sink->write("old\n", 1);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    sink->write("old too\n", 1);
    EXPECT_TRUE(sink->reopen());
    sink->write("new\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path + ".1"), "old\nold too\n");
    EXPECT_EQ(contents(path), "new\n");
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(FileSink, GoesOnWithTheOldFileWhenTheNewOneCannotBe) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const auto sink = make_file_sink(path);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
    EXPECT_FALSE(sink->reopen());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("Is a directory"));
    sink->write("still here\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path + ".1"), "still here\n");
}

TEST(FileSink, SaysWhyItCannotOpen) {
    const TemporaryFolder folder;
    const std::string fifo = folder.path() + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const std::pair<std::string, std::string> cases[] = {
        {folder.path(), "Is a directory"},
        {folder.path() + "/none/events", "No such file or directory"},
        {fifo, "A FIFO or socket needs a reader"}, // and must not wait for it
    };
    for (const auto& [path, reason] : cases) {
        try {
            make_file_sink(path);
            FAIL() << path;
        } catch (const ebpf_loader::Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path));
            EXPECT_THAT(error.what(), HasSubstr(reason));
        }
    }
}

/// A limit on the size of files fails in the middle of a line, as a full disk does.
TEST(FileSink, ALineThatDoesNotFitIsTakenBack) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const std::string report = in_child([&] {
        const rlimit limit = {10'000, 10'000};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            return std::string("setrlimit");
        const auto sink = make_file_sink(path, small());
        write_lines(*sink, 0, 1000);
        sink->finish(); // must not die of SIGXFSZ
        return std::to_string(sink->lost()) + (sink->broken() ? " broken " : " ") +
               std::string(sink->error());
    });
    const std::string got = contents(path);
    EXPECT_GT(got.size(), 9'500U);
    const uint64_t whole = expect_whole_lines(got);
    EXPECT_EQ(report, std::to_string(1000 - whole) + " " + path + ": File too large");
}

TEST(FileSink, AFullDiskIsCountedAndOutlived) {
    const TemporaryFolder folder;
    const std::string report = in_child([&] {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
            return std::string("skip");
        const std::string filler = folder.path() + "/filler";
        std::ofstream(filler) << std::string(20'000, 'f');
        const std::string path = folder.path() + "/events";
        const auto sink = make_file_sink(path, small());
        write_lines(*sink, 0, 2000);
        sink->flush();
        std::ostringstream out;
        const std::string full = contents(path);
        out << (sink->lost() > 0) << (full.empty() || full.back() == '\n') << sink->broken() << ' ';
        out << sink->error() << ' ';
        unlink(filler.c_str()); // there is room again
        sink->flush();
        write_lines(*sink, 2000, 2010);
        sink->finish();
        const std::string got = contents(path);
        const uint64_t whole = expect_whole_lines(got);
        out << (testing::Test::HasFailure() ? "cut" : "whole") << ' ';
        out << (whole + sink->lost() == 2010 ? "balanced" : "not balanced") << ' ';
        out << (got.ends_with(numbered_line(2009)) ? "goes on" : "stuck");
        return out.str();
    });
    if (report == "skip")
        GTEST_SKIP() << "FileSink.AFullDiskIsCountedAndOutlived: cannot mount a tmpfs here";
    EXPECT_EQ(report, "110 " + folder.path() + "/events: No space left on device whole balanced goes on");
}

/// Standard output to a file shared with others, which is not in append mode.
TEST(StreamSink, AFileFromTheShellIsNotCutEither) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    in_child([&] {
        const rlimit limit = {10'000, 10'000};
        setrlimit(RLIMIT_FSIZE, &limit);
        const OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        const auto sink = make_stream_sink(file.get(), "standard output", small());
        write_lines(*sink, 0, 1000);
        return std::string();
    });
    EXPECT_GT(expect_whole_lines(contents(path)), 60U);
}

namespace {

/// Where a syslog daemon would listen.
class FakeLog {
  public:
    explicit FakeLog(const std::string& path) : path_(path) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = OwnedFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        unlink(path.c_str());
        if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("bind " + path);
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> all;
        char bytes[65536];
        for (ssize_t count; (count = recv(socket_.get(), bytes, sizeof bytes, 0)) >= 0;)
            all.emplace_back(bytes, static_cast<size_t>(count));
        return all;
    }

  private:
    std::string path_;
    OwnedFd socket_;
};

class Syslog : public testing::Test {
  protected:
    Syslog() { options_.socket = folder_.path() + "/log"; }

    const TemporaryFolder folder_;
    SyslogOptions options_;
    const std::string header_ =
        R"(<14>[JFMASOND][a-z]{2} [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] ebpf-telemetry\[[0-9]+\]: )";
};

} // namespace

TEST_F(Syslog, OneMessageALine) {
    const FakeLog log(options_.socket);
    const auto sink = make_syslog_sink(options_);
    sink->write("first\nsecond \"line\"\n", 2);
    EXPECT_THAT(log.messages(), testing::ElementsAre(testing::MatchesRegex(header_ + "first"),
                                                     testing::MatchesRegex(header_ + "second \"line\"")));
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
}

TEST_F(Syslog, LongLinesGoInPartsThatJoinToTheLine) {
    const FakeLog log(options_.socket);
    options_.message_bytes = 500;
    const auto sink = make_syslog_sink(options_);
    std::string line;
    for (int i = 0; i < 200; ++i)
        line += "żółw" + std::to_string(i);
    sink->write("short\n" + line + "\n", 2);
    const auto messages = log.messages();
    ASSERT_GT(messages.size(), 3U);
    std::string joined;
    for (size_t i = 1; i < messages.size(); ++i) {
        EXPECT_LE(messages[i].size(), 500U);
        const std::string mark =
            "]: part=" + std::to_string(i) + "/" + std::to_string(messages.size() - 1) + " line=1 ";
        const size_t at = messages[i].find(mark);
        ASSERT_NE(at, std::string::npos) << messages[i];
        const std::string part = messages[i].substr(at + mark.size());
        EXPECT_NE(static_cast<uint8_t>(part.front()) & 0xc0, 0x80) << "begins inside a character";
        joined += part;
    }
    EXPECT_EQ(joined, line);
    EXPECT_EQ(sink->lost(), 0U);
}

TEST_F(Syslog, ADaemonThatTakesNothingCostsLinesAndNotTime) {
    const FakeLog log(options_.socket);
    options_.patience = 100ms;
    const auto sink = make_syslog_sink(options_);
    const auto begin = Clock::now();
    constexpr uint64_t count = 20000; // far more than a socket's queue holds
    for (uint64_t i = 0; i < count; ++i)
        sink->write("x\n", 1);
    EXPECT_LT(Clock::now() - begin, 3s);
    const uint64_t lost = sink->lost();
    EXPECT_GT(lost, 0U);
    EXPECT_THAT(std::string(sink->error()), HasSubstr("does not keep up"));
    EXPECT_EQ(log.messages().size() + lost, count);
    sink->write("again\n", 1);
    EXPECT_EQ(log.messages().size(), 1U);
    EXPECT_EQ(sink->lost(), lost);
}

TEST_F(Syslog, ADaemonThatIsRestartedIsFoundAgain) {
    auto log = std::make_unique<FakeLog>(options_.socket);
    const auto sink = make_syslog_sink(options_);
    log.reset();
    sink->write("into the void\n", 1);
    EXPECT_EQ(sink->lost(), 1U);
    EXPECT_FALSE(sink->broken());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("Connection refused"));
    log = std::make_unique<FakeLog>(options_.socket);
    std::this_thread::sleep_for(1100ms); // it is looked for once a second
    sink->write("back\n", 1);
    EXPECT_EQ(log->messages().size(), 1U);
    EXPECT_EQ(sink->lost(), 1U);
}

TEST_F(Syslog, SaysWhyThereIsNoLog) {
    try {
        make_syslog_sink(options_);
        FAIL() << "no error";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(options_.socket + ": No such file or directory"));
        EXPECT_THAT(error.what(), HasSubstr("syslog daemon"));
    }
    options_.socket.assign(200, 'x');
    EXPECT_THROW(make_syslog_sink(options_), ebpf_loader::Error);
}
