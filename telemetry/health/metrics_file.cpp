// SPDX-License-Identifier: MIT
#include "telemetry/health/metrics_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {

namespace {

bool write_all(int fd, const std::string& text) {
    for (size_t done = 0; done < text.size();) {
        const ssize_t count = write(fd, text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        done += static_cast<size_t>(count);
    }
    return true;
}

} // namespace

/// Nothing is followed or opened that is there already under the other name. Without fsync(): after a crash
/// of the machine there are other numbers anyway.
std::string replace_file(const std::string& path, const std::string& text) {
    constexpr mode_t readable = 0644;
    const std::string other = path + ".new";
    const auto failed = [&](const std::string& what) { return what + ": " + std::strerror(errno); };
    unlink(other.c_str()); // of a run that was killed
    {
        const ebpf_loader::UniqueFd file(
            open(other.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, readable));
        if (!file)
            return failed(other);
        if (fchmod(file.get(), readable) != 0 || !write_all(file.get(), text)) {
            std::string error = failed(other);
            unlink(other.c_str());
            return error;
        }
    }
    return rename(other.c_str(), path.c_str()) == 0 ? "" : failed(path);
}

MetricsFile::MetricsFile(std::string path, bool folder_needs_rights) : path_(std::move(path)) {
    thread_ = start_aside([this] { run(); }, folder_needs_rights ? capability(CAP_DAC_OVERRIDE) : 0);
}

MetricsFile::~MetricsFile() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void MetricsFile::put(std::string page) {
    {
        const std::lock_guard lock(mutex_);
        page_ = std::move(page);
    }
    changed_.notify_all();
}

std::optional<std::string> MetricsFile::take_error() {
    const std::lock_guard lock(mutex_);
    return std::exchange(is_error_new_, false) ? std::optional(error_) : std::nullopt;
}

void MetricsFile::note(const std::string& error) {
    is_error_new_ |= !error.empty() && error != error_;
    error_ = error;
}

void MetricsFile::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return page_ || is_ending_; });
        if (!page_)
            return;
        const std::string page = *std::exchange(page_, std::nullopt);
        lock.unlock();
        const std::string error = replace_file(path_, page);
        lock.lock();
        note(error);
    }
}

} // namespace telemetry
