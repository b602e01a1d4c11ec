// SPDX-License-Identifier: MIT
// Operations of io_uring, without a library.
#pragma once
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace io_uring_test {

/// A ring, one operation at a time.
class Ring {
  public:
    Ring() {
        io_uring_params parameters{};
        fd_ = static_cast<int>(syscall(SYS_io_uring_setup, 8, &parameters));
        if (fd_ < 0)
            return;
        submissions_ =
            map(parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
        completions_ =
            map(parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
        entries_ = reinterpret_cast<io_uring_sqe*>(
            map(parameters.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
        parameters_ = parameters;
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() { close(fd_); }

    bool is_there() const { return fd_ >= 0; }

    /// Returns the operation's result, -EINVAL where the kernel does not know it.
    int run(const io_uring_sqe& operation) {
        unsigned& tail = *reinterpret_cast<unsigned*>(submissions_ + parameters_.sq_off.tail);
        const unsigned mask = *reinterpret_cast<unsigned*>(submissions_ + parameters_.sq_off.ring_mask);
        entries_[tail & mask] = operation;
        reinterpret_cast<unsigned*>(submissions_ + parameters_.sq_off.array)[tail & mask] = tail & mask;
        __atomic_store_n(&tail, tail + 1, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0)
            return -errno;
        unsigned& head = *reinterpret_cast<unsigned*>(completions_ + parameters_.cq_off.head);
        const unsigned cq_mask = *reinterpret_cast<unsigned*>(completions_ + parameters_.cq_off.ring_mask);
        const auto* results = reinterpret_cast<const io_uring_cqe*>(completions_ + parameters_.cq_off.cqes);
        const int result = results[head & cq_mask].res;
        __atomic_store_n(&head, head + 1, __ATOMIC_RELEASE);
        return result;
    }

  private:
    char* map(size_t size, off_t what) const {
        return static_cast<char*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what));
    }
    int fd_ = -1;
    char *submissions_ = nullptr, *completions_ = nullptr;
    io_uring_sqe* entries_ = nullptr;
    io_uring_params parameters_{};
};

inline io_uring_sqe operation(uint8_t code, int fd) {
    io_uring_sqe entry{};
    entry.opcode = code;
    entry.fd = fd;
    return entry;
}

inline io_uring_sqe on_path(uint8_t code, const std::string& path, unsigned length = 0, uint32_t flags = 0) {
    io_uring_sqe entry = operation(code, AT_FDCWD);
    entry.addr = reinterpret_cast<uintptr_t>(path.c_str());
    entry.len = length;
    entry.open_flags = flags;
    return entry;
}

inline io_uring_sqe on_paths(uint8_t code, const std::string& from, const std::string& to) {
    io_uring_sqe entry = on_path(code, from, static_cast<unsigned>(AT_FDCWD));
    entry.addr2 = reinterpret_cast<uintptr_t>(to.c_str());
    return entry;
}

} // namespace io_uring_test
