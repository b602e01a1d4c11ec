// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/base/clock.hpp"
#include "loader/src/read/merge.hpp"
#include "loader/src/read/record_source.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <string>
#include <sys/epoll.h>
#include <utility>

namespace ebpf_loader {
namespace {

/// A ring as laid out by the kernel: a page with the consumer's position, a page with the
/// producers', then the data, mapped twice in a row so that no record wraps.
class Ring {
  public:
    /// Throws Error(resources).
    Ring(int map_fd, size_t bytes, int epoll_fd);
    /// Notes how far the kernel has written: what next() may return until the next call.
    void refresh();
    /// The oldest record that take_record() has not taken; empty if the kernel has completed no other.
    std::span<const std::byte> next();
    void take_record() {
        position_ += length_of(oldest_.size());
        oldest_ = {};
    }
    /// Gives the room of what was taken back to the kernel.
    void give_back() { consumer_->store(position_, std::memory_order_release); }
    /// Has another process changed the position since the last call?
    bool take_moved() { return std::exchange(is_moved_, false); }

  private:
    using Position = std::atomic<unsigned long>;

    static size_t length_of(size_t bytes) { return (bytes + BPF_RINGBUF_HDR_SZ + 7) & ~size_t{7}; }
    void restore_position();

    size_t mask_;
    Mapping consumer_map_, producer_map_;
    Position* consumer_;
    const Position* producer_;
    const std::byte* data_;
    unsigned long position_ = 0; ///< up to where it was read; the kernel's copy others can change
    unsigned long end_ = 0;
    std::span<const std::byte> oldest_; ///< what next() returned, until it is taken
    bool is_moved_ = false;             ///< somebody has changed the kernel's copy
};

/// All rings: a single one is read as far as it goes. Of several, what is younger than the look at them waits
/// for the next: its cause may be in a ring that had been looked at before. So a record never comes before
/// another that had been written when its hook began; only what different CPUs wrote at the same moment may
/// not be in order.
class RingSource : public RecordSource {
  public:
    RingSource(std::span<const int> map_fds, size_t bytes, clockid_t clock);
    size_t drain(const Handler& handler, bool all) override;
    void wait(std::chrono::milliseconds timeout) override;
    std::vector<Tampering> take_tampering() override;

  private:
    UniqueFd epoll_;
    const clockid_t clock_; ///< that the records' times are of
    std::vector<Ring> rings_;
    Merge<Ring> merge_; ///< of those that have records, while draining
};

Mapping map_ring(int fd, size_t bytes, int protection, off_t offset) {
    void* address = mmap(nullptr, bytes, protection, MAP_SHARED, fd, offset);
    if (address == MAP_FAILED)
        throw Error(ErrorCode::resources,
                    "cannot map the ring buffer (" + std::to_string(bytes) + " bytes): " + strerror(errno),
                    ErrorCause::buffer_refused);
    return Mapping(address, bytes);
}

Ring::Ring(int map_fd, size_t bytes, int epoll_fd) : mask_(bytes - 1) {
    // Edge-triggered: woken when the program in the kernel asks for it, not as soon as one record waits.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, map_fd, &event))
        throw Error(ErrorCode::resources, std::string("cannot wait for the ring buffer: ") + strerror(errno));
    const size_t page = sysconf(_SC_PAGESIZE);
    consumer_map_ = map_ring(map_fd, page, PROT_READ | PROT_WRITE, 0);
    producer_map_ = map_ring(map_fd, page + 2 * bytes, PROT_READ, page);
    consumer_ = reinterpret_cast<Position*>(consumer_map_.data());
    producer_ = reinterpret_cast<const Position*>(producer_map_.data());
    data_ = producer_map_.data() + page;
    position_ = consumer_->load(std::memory_order_relaxed);
}

void Ring::refresh() {
    end_ = producer_->load(std::memory_order_acquire);
    if (consumer_->load(std::memory_order_relaxed) != position_) [[unlikely]]
        restore_position();
}

/// Who moves it takes records away, or makes the ring look full. What was written over meanwhile is gone, as
/// the gap in sequence numbers shows.
void Ring::restore_position() {
    is_moved_ = true;
    oldest_ = {};
    if (end_ - position_ > mask_ + 1)
        position_ = end_;
    give_back();
}

std::span<const std::byte> Ring::next() {
    if (!oldest_.empty())
        return oldest_;
    while (position_ < end_) {
        const std::byte* const at = data_ + (position_ & mask_);
        const uint32_t length =
            reinterpret_cast<const std::atomic<uint32_t>*>(at)->load(std::memory_order_acquire);
        if (length & BPF_RINGBUF_BUSY_BIT)
            break;
        const size_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (!(length & BPF_RINGBUF_DISCARD_BIT) && bytes != 0)
            return oldest_ = {at + BPF_RINGBUF_HDR_SZ, bytes};
        position_ += length_of(bytes);
    }
    return {};
}

RingSource::RingSource(std::span<const int> map_fds, size_t bytes, clockid_t clock)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), clock_(clock) {
    if (!epoll_)
        throw Error(ErrorCode::resources, std::string("cannot wait for ring buffers: ") + strerror(errno));
    for (int fd : map_fds)
        rings_.emplace_back(fd, bytes, epoll_.get());
}

size_t RingSource::drain(const Handler& handler, bool all) {
    const uint64_t until = all || rings_.size() == 1 ? UINT64_MAX : clock_ns(clock_);
    merge_.clear();
    for (Ring& ring : rings_) {
        ring.refresh();
        merge_.add(ring);
    }
    return merge_.drain(handler, until);
}

void RingSource::wait(std::chrono::milliseconds timeout) {
    epoll_event event;
    epoll_wait(epoll_.get(), &event, 1, static_cast<int>(timeout.count()));
}

std::vector<Tampering> RingSource::take_tampering() {
    std::vector<Tampering> found;
    for (size_t i = 0; i < rings_.size(); i++)
        if (rings_[i].take_moved())
            found.push_back({rings_.size() == 1 ? "the ring buffer's position"
                                                : "the position of ring buffer " + std::to_string(i),
                             true});
    return found;
}

} // namespace

std::unique_ptr<RecordSource> make_ring_source(std::span<const int> map_fds, size_t bytes, clockid_t clock) {
    return std::make_unique<RingSource>(map_fds, bytes, clock);
}

} // namespace ebpf_loader
