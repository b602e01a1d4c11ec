// SPDX-License-Identifier: MIT
// Lines whose loss is seen, and where they can be written to.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <poll.h>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/sink/stream.hpp"

namespace sink_test {

using namespace telemetry;
using ebpf_loader::UniqueFd;
using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;

/// Lines that tell their number, so that a lost, cut or repeated one is seen.
inline std::string numbered_line(int number) {
    return "line " + std::to_string(number) + " " + std::string(static_cast<size_t>(50 + number % 90), 'x') +
           "\n";
}

inline std::vector<std::string> lines_of(const std::string& bytes) {
    std::vector<std::string> lines;
    std::istringstream in(bytes);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line + "\n");
    return lines;
}

/// Every line is whole and they come in order; returns how many there are.
inline uint64_t expect_whole_lines(const std::string& bytes) {
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

inline std::string contents(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

inline std::string read_available(int fd) {
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
        reader = UniqueFd(ends[0]);
        writer = UniqueFd(ends[1]);
    }
    UniqueFd reader;
    UniqueFd writer;
};

/// Reads all that is written, so many bytes at a time and with a pause after each time.
class Reader {
  public:
    Reader(int fd, size_t part, std::chrono::microseconds pause = {})
        : thread_([this, fd, part, pause] {
              std::string bytes(part, '\0');
              for (ssize_t count; (count = read(fd, bytes.data(), part)) > 0;
                   std::this_thread::sleep_for(pause))
                  got_.append(bytes, 0, static_cast<size_t>(count));
          }) {}
    /// To be called once no writer has it open any more.
    const std::string& all() {
        thread_.join();
        return got_;
    }

  private:
    std::string got_;
    std::thread thread_;
};

inline StreamOptions small(std::chrono::milliseconds patience = 50ms) {
    StreamOptions options;
    options.buffer_bytes = 16 * 1024;
    options.patience = patience;
    return options;
}

/// Waits until something is so; false when it takes too long.
inline bool eventually(const std::function<bool()>& holds, Clock::duration most = 20s) {
    for (const auto end = Clock::now() + most; Clock::now() < end;) {
        if (holds())
            return true;
        usleep(20'000);
    }
    return holds();
}

inline void write_lines(Sink& sink, int from, int to) {
    for (int number = from; number < to; ++number)
        sink.write(numbered_line(number), 1);
}

} // namespace sink_test
