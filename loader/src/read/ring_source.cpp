// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/read/record_source.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <string>
#include <sys/epoll.h>
#include <utility>

namespace ebpf_loader {
namespace {

/// Reads the ring as laid out by the kernel: a page with the consumer's position, a page
/// with the producers', then the data, mapped twice in a row so that no record wraps.
class RingSource : public RecordSource {
  public:
    RingSource(int map_fd, size_t bytes);
    size_t drain(const Handler& handler, bool all) override;
    void wait(std::chrono::milliseconds timeout) override;
    std::vector<Tampering> take_tampering() override;

  private:
    using Position = std::atomic<unsigned long>;
    void restore_position(unsigned long end);

    UniqueFd epoll_;
    size_t mask_;
    Mapping consumer_map_, producer_map_;
    Position* consumer_;
    const Position* producer_;
    const std::byte* data_;
    unsigned long position_ = 0; ///< up to where it was read; the kernel's copy others can change
    bool is_moved_ = false;      ///< and somebody has
};

Mapping map_ring(int fd, size_t bytes, int protection, off_t offset) {
    void* address = mmap(nullptr, bytes, protection, MAP_SHARED, fd, offset);
    if (address == MAP_FAILED)
        throw Error(ErrorCode::resources,
                    "cannot map the ring buffer (" + std::to_string(bytes) + " bytes): " + strerror(errno),
                    ErrorCause::buffer_refused);
    return Mapping(address, bytes);
}

RingSource::RingSource(int map_fd, size_t bytes) : epoll_(epoll_create1(EPOLL_CLOEXEC)), mask_(bytes - 1) {
    // Edge-triggered: woken when the program in the kernel asks for it, not as soon as one record waits.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    if (!epoll_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, map_fd, &event))
        throw Error(ErrorCode::resources, std::string("cannot wait for the ring buffer: ") + strerror(errno));
    const size_t page = sysconf(_SC_PAGESIZE);
    consumer_map_ = map_ring(map_fd, page, PROT_READ | PROT_WRITE, 0);
    producer_map_ = map_ring(map_fd, page + 2 * bytes, PROT_READ, page);
    consumer_ = reinterpret_cast<Position*>(consumer_map_.data());
    producer_ = reinterpret_cast<const Position*>(producer_map_.data());
    data_ = producer_map_.data() + page;
    position_ = consumer_->load(std::memory_order_relaxed);
}

/// Who moves it takes records away, or makes the ring look full. What was written over meanwhile is gone, as
/// the gap in sequence numbers shows.
void RingSource::restore_position(unsigned long end) {
    is_moved_ = true;
    if (end - position_ > mask_ + 1)
        position_ = end;
    consumer_->store(position_, std::memory_order_release);
}

std::vector<Tampering> RingSource::take_tampering() {
    if (!std::exchange(is_moved_, false))
        return {};
    return {{"the ring buffer's position", true}};
}

size_t RingSource::drain(const Handler& handler, bool) {
    // Room is given back in steps: often enough for the producers, seldom enough not to
    // fight with them over the cache line.
    constexpr unsigned long give_back = 64 * 1024;
    const unsigned long end = producer_->load(std::memory_order_acquire);
    if (consumer_->load(std::memory_order_relaxed) != position_) [[unlikely]]
        restore_position(end);
    unsigned long at = position_, given = at;
    size_t records = 0;
    while (at < end) {
        auto* header = reinterpret_cast<const std::atomic<uint32_t>*>(data_ + (at & mask_));
        const uint32_t length = header->load(std::memory_order_acquire);
        if (length & BPF_RINGBUF_BUSY_BIT)
            break;
        const size_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
            handler({data_ + (at & mask_) + BPF_RINGBUF_HDR_SZ, bytes});
            records++;
        }
        at += (bytes + BPF_RINGBUF_HDR_SZ + 7) & ~size_t{7};
        if (at - given >= give_back) {
            consumer_->store(at, std::memory_order_release);
            given = at;
        }
    }
    position_ = at;
    consumer_->store(at, std::memory_order_release);
    return records;
}

void RingSource::wait(std::chrono::milliseconds timeout) {
    epoll_event event;
    epoll_wait(epoll_.get(), &event, 1, static_cast<int>(timeout.count()));
}

} // namespace

std::unique_ptr<RecordSource> make_ring_source(int map_fd, size_t bytes) {
    return std::make_unique<RingSource>(map_fd, bytes);
}

} // namespace ebpf_loader
