// SPDX-License-Identifier: MIT
#include "telemetry/delivery/file/rotated_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <ebpf_loader/error.hpp>

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;
using std::chrono::system_clock;

constexpr int open_flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
constexpr size_t held_bytes = 1 << 20; ///< while the disk is full

/// When the file was made, where the file system knows; else now.
system_clock::time_point birth(int fd) {
    struct statx status {};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0 && (status.stx_mask & STATX_BTIME))
        return system_clock::from_time_t(status.stx_btime.tv_sec);
    return system_clock::now();
}

std::string reason(int error_number) {
    return error_number == ELOOP ? "it is a symbolic link" : std::strerror(error_number);
}

} // namespace

RotatedFile::RotatedFile(const RotatedFileOptions& options)
    : options_(options), old_(options.path, options.keep, options.coding) {
    if (!use(open_path()))
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 error_ + ". Check the path and its permissions.");
}

/// Empty, with error_, when it cannot be opened.
UniqueFd RotatedFile::open_path() {
    UniqueFd fd(::open(options_.path.c_str(), open_flags | O_CREAT | O_EXCL, options_.mode));
    const bool is_new = static_cast<bool>(fd);
    if (!fd && errno == EEXIST)
        fd = UniqueFd(::open(options_.path.c_str(), open_flags));
    if (!fd) {
        error_ = "Cannot write to " + options_.path + ": " + reason(errno);
        return fd;
    }
    struct stat status {};
    if (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        error_ = "Cannot write to " + options_.path + ": it is no regular file";
        return {};
    }
    const uid_t owner = options_.owner.value_or(static_cast<uid_t>(-1));
    const gid_t group = options_.group.value_or(static_cast<gid_t>(-1));
    if ((options_.owner || options_.group) && fchown(fd.get(), owner, group) != 0) {
        error_ = "Cannot give " + options_.path + " to its owner and group: " + std::strerror(errno);
        return {};
    }
    if (is_new) // whatever the umask
        fchmod(fd.get(), options_.mode);
    return fd;
}

bool RotatedFile::use(UniqueFd fd) {
    if (!fd)
        return false;
    finish();
    fd_ = std::move(fd);
    born_ = birth(fd_.get());
    StreamOptions stream;
    stream.buffer_bytes = held_bytes;
    sink_ = std::make_unique<StreamSink>(options_.path, std::string(), stream);
    sink_->attach(fd_.get());
    error_.clear();
    return true;
}

void RotatedFile::finish() {
    if (!sink_)
        return;
    sink_->finish();
    lost_ += sink_->lost();
    lost_lines_ += sink_->lost_lines();
    sink_.reset();
}

bool RotatedFile::reopen() {
    sink_->flush();
    return use(open_path());
}

uint64_t RotatedFile::size() const {
    struct stat status {};
    return fstat(fd_.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

bool RotatedFile::is_old() const {
    return options_.rotate_every.count() > 0 && system_clock::now() - born_ >= options_.rotate_every;
}

void RotatedFile::write(const Batch& batch) {
    const uint64_t before = size();
    const bool is_full = options_.rotate_size > 0 && before + batch.bytes.size() > options_.rotate_size;
    if (before > 0 && (is_full || is_old()))
        rotate();
    sink_->write(batch.bytes, batch.events());
    sink_->flush();
}

void RotatedFile::tick() {
    sink_->flush();
    if (is_old() && size() > 0)
        rotate();
}

void RotatedFile::rotate() {
    sink_->flush();
    if (!sink_->is_empty())
        return; // the disk is full, and the file's last line is not complete
    struct stat ours {
    }, named{};
    const bool is_ours = fstat(fd_.get(), &ours) == 0 && lstat(options_.path.c_str(), &named) == 0 &&
                         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    if (is_ours && !old_.shift()) { // else somebody else has rotated it
        error_ = "Cannot rotate " + options_.path + ": " + std::strerror(errno);
        born_ = system_clock::now(); // not again at once
        return;
    }
    use(open_path());
}

} // namespace telemetry
