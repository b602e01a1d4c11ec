// SPDX-License-Identifier: MIT
#include "test/bench/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace bench {
namespace {

constexpr size_t chunk = 1 << 20;

uint64_t size_of(int fd) {
    struct stat status {};
    return fstat(fd, &status) ? 0 : static_cast<uint64_t>(status.st_size);
}

/// A quarter of the room there is, but no more than serves a quick run.
uint64_t quarter_of_room(int fd) {
    struct statvfs room {};
    const uint64_t free = fstatvfs(fd, &room) ? 0 : room.f_bavail * room.f_frsize;
    return std::min<uint64_t>(free / 4, uint64_t{3} << 30);
}

} // namespace

OutputFile::OutputFile(const std::string& path, std::string marker)
    : path_(path), marker_(std::move(marker)),
      fd_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0)
        throw std::runtime_error(path + ": " + strerror(errno));
    most_ = quarter_of_room(fd_);
    start();
}

OutputFile::~OutputFile() {
    stop();
    close(fd_);
    unlink(path_.c_str());
}

bool OutputFile::contains(const std::string& text) const {
    std::string bytes(std::min<uint64_t>(size_of(fd_), chunk), '\0');
    const ssize_t got = pread(fd_, bytes.data(), bytes.size(), 0);
    return got > 0 && bytes.find(text) != std::string::npos;
}

void OutputFile::keep_small() {
    while (!stop_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (const uint64_t size = size_of(fd_); size > counted_ + most_)
            count_to(size - most_ / 2);
    }
}

void OutputFile::count_to(uint64_t end) {
    std::string bytes(chunk, '\0');
    while (counted_ < end) {
        const ssize_t got =
            pread(fd_, bytes.data(), std::min<uint64_t>(chunk, end - counted_), static_cast<off_t>(counted_));
        if (got <= 0)
            break;
        count(bytes.data(), static_cast<size_t>(got));
        fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(counted_), got);
        counted_ += static_cast<uint64_t>(got);
    }
}

void OutputFile::count(const char* data, size_t size) {
    count_.bytes += size;
    std::string_view rest(data, size);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
        std::string_view line = rest.substr(0, end);
        if (!line_.empty())
            line = line_.append(line);
        count_.lines++;
        count_.marked += memmem(line.data(), line.size(), marker_.data(), marker_.size()) != nullptr;
        line_.clear();
    }
    line_ += rest;
}

void OutputFile::start() {
    stop_ = false;
    thread_ = std::thread([this] { keep_small(); });
}

void OutputFile::stop() {
    stop_ = true;
    if (thread_.joinable())
        thread_.join();
}

OutputFile::Count OutputFile::take() {
    stop();
    count_to(size_of(fd_));
    return std::exchange(count_, {});
}

OutputFile::Count OutputFile::take_so_far() {
    const Count count = take();
    start();
    return count;
}

} // namespace bench
