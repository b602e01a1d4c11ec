// SPDX-License-Identifier: MIT
#include "telemetry/delivery/file/rotation.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;

constexpr Coding codings[] = {Coding::none, Coding::gzip, Coding::zstd};
constexpr size_t piece = 1 << 20;
constexpr int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR)
            return false;
        bytes.remove_prefix(count > 0 ? static_cast<size_t>(count) : 0);
    }
    return true;
}

} // namespace

/// A file on its way to its compressed form, which has another name until it is complete.
struct OldFiles::Job {
    unsigned number; ///< that it has by now
    std::string part;
    UniqueFd in, out;
    std::unique_ptr<Compressor> compressor;
    struct stat status {};
};

OldFiles::OldFiles(std::string path, unsigned keep, Coding coding)
    : path_(std::move(path)), keep_(keep), coding_(coding) {}

OldFiles::~OldFiles() {
    abandon();
}

std::string OldFiles::name(unsigned number, Coding coding) const {
    return path_ + "." + std::to_string(number) + std::string(suffix_of(coding));
}

bool OldFiles::shift() {
    if (keep_ == 0)
        return unlink(path_.c_str()) == 0;
    const std::string newest = name(0);
    if (access(newest.c_str(), F_OK) == 0)
        number_anew(); // an earlier run was killed between these two
    if (rename(path_.c_str(), newest.c_str()) != 0)
        return false; // before any of the old ones is given up for it
    number_anew();
    return true;
}

/// PATH.0 becomes PATH.1, that PATH.2, and so on; the last one goes.
void OldFiles::number_anew() {
    if (job_ && ++job_->number > keep_)
        abandon();
    for (const Coding coding : codings)
        unlink(name(keep_, coding).c_str());
    for (unsigned i = keep_; i-- > 1;)
        for (const Coding coding : codings)
            rename(name(i, coding).c_str(), name(i + 1, coding).c_str());
    rename(name(0).c_str(), name(1).c_str());
    may_have_work_ = true;
}

bool OldFiles::begin() {
    for (unsigned i = 2; i <= keep_; ++i) {
        auto job = std::make_unique<Job>();
        job->number = i;
        job->part = name(i, coding_) + ".part";
        job->in = UniqueFd(open(name(i).c_str(), O_RDONLY | flags));
        if (!job->in)
            continue;
        unlink(job->part.c_str()); // what an earlier run left
        if (fstat(job->in.get(), &job->status) != 0 || !S_ISREG(job->status.st_mode))
            continue;
        job->out = UniqueFd(open(job->part.c_str(), O_WRONLY | O_CREAT | O_EXCL | flags, 0600));
        job->compressor = Compressor::make(coding_);
        if (!job->out || !job->compressor)
            return false;
        job_ = std::move(job);
        return true;
    }
    return false;
}

bool OldFiles::finish() {
    const timespec times[2] = {job_->status.st_mtim, job_->status.st_mtim};
    // Only root may give it away; the mode is last, since that clears set-id bits.
    [[maybe_unused]] const int given = fchown(job_->out.get(), job_->status.st_uid, job_->status.st_gid);
    const bool is_done = fchmod(job_->out.get(), job_->status.st_mode & 0777) == 0 &&
                         futimens(job_->out.get(), times) == 0 && fsync(job_->out.get()) == 0 &&
                         rename(job_->part.c_str(), name(job_->number, coding_).c_str()) == 0;
    if (is_done)
        unlink(name(job_->number).c_str());
    else
        unlink(job_->part.c_str());
    job_.reset();
    return is_done;
}

void OldFiles::abandon() {
    if (job_)
        unlink(job_->part.c_str());
    job_.reset();
}

bool OldFiles::compress_some() {
    if (coding_ == Coding::none || !may_have_work_)
        return false;
    if (!job_ && !begin()) {
        may_have_work_ = false;
        return false;
    }
    std::string bytes(piece, '\0'), out;
    const ssize_t count = read(job_->in.get(), bytes.data(), bytes.size());
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    const bool is_well =
        count >= 0 && job_->compressor->put(bytes, count == 0, out) && write_all(job_->out.get(), out);
    if (is_well && count > 0)
        return true;
    if (is_well && finish())
        return true;
    abandon(); // a full disk, mostly: tried again when the next file is there
    may_have_work_ = false;
    return false;
}

} // namespace telemetry
