// SPDX-License-Identifier: MIT
#include "telemetry/sink/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/openat2.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/run_end.hpp"
#include "telemetry/output/audit/event_lines.hpp"

namespace telemetry {
namespace {

using ebpf_loader::Error;
using ebpf_loader::ErrorCode;
using ebpf_loader::UniqueFd;
using std::chrono::milliseconds;

constexpr int open_flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr mode_t owner_alone = 0600;

/// Where an open file is; nothing if it has no place, as a pipe.
std::optional<std::string> path_of(int fd) {
    std::error_code error;
    std::string path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (error || !path.starts_with('/') || path.ends_with(" (deleted)"))
        return std::nullopt;
    return path;
}

/// EPIPE and EFBIG report the same without ending the program.
void ignore_signals_of_writing() {
    for (const int number : {SIGPIPE, SIGXFSZ}) {
        struct sigaction action = {};
        if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_DFL)
            signal(number, SIG_IGN);
    }
}

/// What a run that was killed has begun: a line at the end of a file without its end. `fd` is open for
/// writing alone, so it is read by another one.
bool ends_within_a_line(int fd, off_t size) {
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    const UniqueFd file(::open(self.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    char last = '\n';
    return size > 0 && file && pread(file.get(), &last, 1, size - 1) == 1 && last != '\n';
}

uint64_t count_lines(std::string_view lines) {
    return static_cast<uint64_t>(std::ranges::count(lines, '\n'));
}

/// Does the error leave hope that a later write works?
bool may_pass(int error_number, bool is_file) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case ENOBUFS:
        return true;
    case EIO:
        return is_file; // a terminal is gone
    default:
        return false;
    }
}

} // namespace

StreamSink::StreamSink(std::string name, std::string path, const StreamOptions& options)
    : name_(std::move(name)), path_(std::move(path)), options_(options) {
    ignore_signals_of_writing();
    queue_.reserve(options.buffer_bytes);
}

StreamSink::~StreamSink() {
    finish();
}

void StreamSink::attach(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        throw Error(ErrorCode::usage, "Cannot write to " + name_ + ": " + std::strerror(EBADF) +
                                          ". Redirect it to a file or a pipe with a reader.");
    use(fd, UniqueFd());
}

void StreamSink::open() {
    UniqueFd file = open_path();
    if (!file) {
        const int why = errno;
        throw Error(ErrorCode::usage, "Cannot write to " + path_ + ": " + std::strerror(why) + ". " +
                                          (why == ENXIO ? "Start the reader of this FIFO or socket first."
                                                        : "Check the path and its permissions."));
    }
    const int fd = file.get();
    use(fd, std::move(file));
    real_path_ = path_of(fd_).value_or(path_);
}

/// O_NONBLOCK: neither a FIFO without a reader nor a terminal with its output stopped may hold the program
/// up.
UniqueFd StreamSink::open_path() const {
    return UniqueFd(::open(path_.c_str(), open_flags, owner_alone));
}

/// Through no symbolic link: those that were there at first were the user's, others may be anybody's who may
/// write to the folder.
UniqueFd StreamSink::open_anew() const {
    open_how how = {};
    how.flags = open_flags;
    how.mode = owner_alone;
    how.resolve = RESOLVE_NO_SYMLINKS;
    const long fd = syscall(SYS_openat2, AT_FDCWD, real_path_.c_str(), &how, sizeof(how));
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) // Linux 5.6; seccomp of containers
        return UniqueFd(static_cast<int>(fd));
    return UniqueFd(::open(real_path_.c_str(), open_flags | O_NOFOLLOW, owner_alone));
}

void StreamSink::use(int fd, UniqueFd owned) {
    struct stat status = {};
    fstat(fd, &status);
    kind_ = S_ISREG(status.st_mode) ? Kind::file : S_ISSOCK(status.st_mode) ? Kind::socket : Kind::other;
    may_block_ = !owned && kind_ == Kind::other;
    if (may_block_) {
        // O_NONBLOCK belongs to the open file, which others may share (the shell, the programs
        // after us): it is set on an open file of our own to the same pipe or terminal.
        const std::string self = "/proc/self/fd/" + std::to_string(fd);
        UniqueFd own(::open(self.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
        if (own) {
            owned = std::move(own);
            may_block_ = false;
        }
    }
    fd_ = owned ? owned.get() : fd;
    owned_ = std::move(owned);
    const int flags = fcntl(fd_, F_GETFL);
    if (kind_ == Kind::file && flags >= 0 && (flags & O_APPEND) && ends_within_a_line(fd_, status.st_size)) {
        queue_.insert(0, "\n"); // the piece becomes a line of its own, and spoils none of ours
        batches_.insert(batches_.begin(), {1, 0});
    }
}

bool StreamSink::has_reader() const {
    struct stat status = {};
    return kind_ == Kind::socket || isatty(fd_) || (fstat(fd_, &status) == 0 && S_ISFIFO(status.st_mode));
}

void StreamSink::write(std::string_view lines, uint64_t events) {
    if (!broken_ && !queue_.empty() && queue_.size() + lines.size() > options_.buffer_bytes)
        drain();
    if (broken_ || cut_ || (!queue_.empty() && queue_.size() + lines.size() > options_.buffer_bytes)) {
        lost_ += events;
        lost_lines_ += count_lines(lines);
        return;
    }
    const bool is_worth_a_call = lines.size() >= options_.buffer_bytes / 4;
    if (queue_.empty() && is_worth_a_call)
        lines.remove_prefix(push(lines)); // from where it is: a copy would cost as much as the rest
    if (lines.empty())
        return;
    queue_.append(lines);
    batches_.push_back({lines.size(), events});
    if (broken_)
        discard_queue();
    else if (queue_.size() >= options_.buffer_bytes)
        drain();
}

void StreamSink::flush() {
    if (!broken_)
        drain();
}

void StreamSink::finish() {
    flush();
    cut_ |= fragment_ != 0; // the rest of the line is lost: nothing may follow it
    discard_queue();
}

void StreamSink::drain() {
    forget(push(queue_));
    if (broken_)
        discard_queue();
}

size_t StreamSink::push(std::string_view bytes) {
    const auto deadline = Clock::now() + (stalled_ ? milliseconds(0) : run_end::at_most(options_.patience));
    size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t count = write_some(bytes.data() + sent, bytes.size() - sent);
        if (count > 0) {
            note_written(bytes.substr(sent, static_cast<size_t>(count)));
            sent += static_cast<size_t>(count);
            stalled_ = false;
        } else if (count < 0 && errno == EAGAIN) {
            if (!wait_until_writable(deadline))
                break;
        } else if (count == 0 || errno != EINTR) {
            sent -= fail(count == 0 ? EIO : errno, sent);
            break;
        }
    }
    return sent;
}

void StreamSink::forget(size_t bytes) {
    size_t rest = bytes;
    auto batch = batches_.begin();
    for (; batch != batches_.end() && batch->bytes <= rest; ++batch)
        rest -= batch->bytes;
    if (batch != batches_.end())
        batch->bytes -= rest;
    batches_.erase(batches_.begin(), batch);
    queue_.erase(0, bytes);
}

uint64_t StreamSink::waiting() const {
    uint64_t events = 0;
    for (const Batch& batch : batches_)
        events += batch.events;
    return events;
}

void StreamSink::note_written(std::string_view bytes) {
    const size_t end_of_line = bytes.rfind('\n');
    fragment_ =
        end_of_line == std::string_view::npos ? fragment_ + bytes.size() : bytes.size() - end_of_line - 1;
}

bool StreamSink::wait_until_writable(Clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        pollfd descriptor = {fd_, POLLOUT, 0};
        const int ready = poll(&descriptor, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
        if (ready > 0)
            return true; // or broken, as the next write will show
        if (ready == 0)
            break;
        if (errno != EINTR)
            return true;
        deadline = std::min(deadline, Clock::now() + run_end::at_most(options_.patience));
    }
    stalled_ = true;
    set_error("the reader does not keep up");
    return false;
}

/// Never blocks. A descriptor that could is asked first, and given no more than fits then:
/// PIPE_BUF for a pipe with room, less for a terminal.
ssize_t StreamSink::write_some(const char* bytes, size_t count) {
    if (kind_ == Kind::socket)
        return send(fd_, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (may_block_) {
        constexpr size_t terminal_room = 256;
        pollfd descriptor = {fd_, POLLOUT, 0};
        if (poll(&descriptor, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        count = std::min<size_t>(count, isatty(fd_) ? terminal_room : PIPE_BUF);
    }
    return ::write(fd_, bytes, count);
}

size_t StreamSink::fail(int error_number, size_t sent) {
    set_error(std::strerror(error_number));
    if (may_pass(error_number, kind_ == Kind::file))
        return take_back_fragment(sent);
    broken_ = true;
    return 0;
}

/// The disk is full in the middle of a line: the file shall end with the line before it.
size_t StreamSink::take_back_fragment(size_t sent) {
    struct stat status = {};
    if (kind_ != Kind::file || fragment_ == 0 || fragment_ > sent || fstat(fd_, &status) != 0)
        return 0;
    const bool appends = fcntl(fd_, F_GETFL) & O_APPEND;
    const off_t position = appends ? status.st_size : lseek(fd_, 0, SEEK_CUR);
    const off_t line_begin = position - static_cast<off_t>(fragment_);
    if (position != status.st_size || line_begin < 0)
        return 0; // somebody else writes there too: the line is finished when there is room
    if (ftruncate(fd_, line_begin) != 0 || (!appends && lseek(fd_, line_begin, SEEK_SET) < 0))
        return 0;
    return std::exchange(fragment_, 0);
}

void StreamSink::discard_queue() {
    std::string_view rest = queue_;
    for (const Batch& batch : batches_) {
        lost_ += std::min(batch.events, EventLines::count(rest.substr(0, batch.bytes)));
        rest.remove_prefix(batch.bytes);
    }
    lost_lines_ += count_lines(queue_);
    queue_.clear();
    batches_.clear();
    fragment_ = 0;
}

void StreamSink::set_error(std::string_view why) {
    error_ = name_ + ": ";
    error_ += why;
}

bool StreamSink::reopen() {
    flush();
    UniqueFd file = open_anew();
    if (!file) {
        set_error("cannot reopen it: " +
                  std::string(errno == ELOOP
                                  ? "it is, or lies behind, a symbolic link that was not there before"
                                  : std::strerror(errno)));
        return false;
    }
    struct stat status {};
    if (kind_ == Kind::file && (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
        set_error(
            "cannot reopen it: it is no regular file any more"); // who reads it would hold up the caller
        return false;
    }
    if (fragment_) { // its beginning stays in the old file
        forget(queue_.find('\n') + 1);
        lost_ += 1;
        lost_lines_ += 1;
        fragment_ = 0;
    }
    const int fd = file.get();
    use(fd, std::move(file));
    broken_ = cut_ = false;
    return true;
}

std::unique_ptr<StreamSink> make_stream_sink(int fd, const std::string& name, const StreamOptions& options) {
    auto sink = std::make_unique<StreamSink>(name, std::string(), options);
    sink->attach(fd);
    return sink;
}

std::unique_ptr<StreamSink> make_file_sink(const std::string& path, const StreamOptions& options) {
    auto sink = std::make_unique<StreamSink>(path, path, options);
    sink->open();
    return sink;
}

} // namespace telemetry
