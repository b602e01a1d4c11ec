// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/read/cpu_buffer.hpp"

#include <atomic>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <ebpf_loader/abi/record.h>
#include <ebpf_loader/error.hpp>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace ebpf_loader {
namespace {

/// What the kernel leaves in a buffer that was full, once there is room again.
struct LostRecord {
    perf_event_header header;
    uint64_t id, count;
};

} // namespace

/// The buffer wakes its source when an eighth of it waits, not for each record.
UniqueFd open_buffer_event(int cpu, size_t bytes) {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
    attributes.sample_type = PERF_SAMPLE_RAW;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_RUNNING; // for restore()
    attributes.watermark = 1;
    attributes.wakeup_watermark = static_cast<uint32_t>(bytes / 8);
    return UniqueFd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1,
                                             static_cast<unsigned long>(PERF_FLAG_FD_CLOEXEC))));
}

void fail_buffer(const std::string& what, int cpu) {
    throw Error(ErrorCode::resources,
                "cannot " + what + " the perf buffer of CPU " + std::to_string(cpu) + ": " + strerror(errno),
                ErrorCause::buffer_refused);
}

CpuBuffer::CpuBuffer(UniqueFd fd, int map_fd, int cpu, size_t bytes, int epoll_fd)
    : fd_(std::move(fd)), map_fd_(map_fd), cpu_(cpu), size_(bytes) {
    const size_t page = sysconf(_SC_PAGESIZE);
    void* address = mmap(nullptr, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (address == MAP_FAILED)
        fail_buffer("map", cpu);
    map_ = Mapping(address, page + bytes);
    control_ = static_cast<perf_event_mmap_page*>(address);
    data_ = map_.data() + page;
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    if (!enable() || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_.get(), &event))
        fail_buffer("set up", cpu);
}

bool CpuBuffer::enable() {
    const int value = fd_.get();
    return ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) == 0 &&
           bpf_map_update_elem(map_fd_, &cpu_, &value, BPF_ANY) == 0;
}

/// Nanoseconds for which the event has been counting.
uint64_t CpuBuffer::time_running() const {
    struct {
        uint64_t count, running;
    } values{};
    return read(fd_.get(), &values, sizeof(values)) == sizeof(values) ? values.running : 0;
}

bool CpuBuffer::restore() {
    if (!enable() || ioctl(fd_.get(), PERF_EVENT_IOC_PAUSE_OUTPUT, 0) != 0)
        return false;
    const uint64_t before = time_running();
    return time_running() > before; // the event of a CPU that was offline counts no more
}

bool CpuBuffer::was_full() {
    constexpr uint64_t longest = EBT_RECORD_MAX + 4096; // with what perf puts before and behind it
    refresh();
    const uint64_t most = head_ - tail_then_;
    tail_then_ = tail_;
    return most + longest > size_;
}

void CpuBuffer::refresh() {
    head_ = std::atomic_ref(control_->data_head).load(std::memory_order_acquire);
}

const std::byte* CpuBuffer::at(uint64_t position, size_t bytes) {
    const size_t offset = position & (size_ - 1);
    if (offset + bytes <= size_)
        return data_ + offset;
    const size_t first = size_ - offset;
    straight_.resize(bytes);
    memcpy(straight_.data(), data_ + offset, first);
    memcpy(straight_.data() + first, data_, bytes - first);
    return straight_.data();
}

std::span<const std::byte> CpuBuffer::next() {
    if (!oldest_.empty())
        return oldest_;
    while (tail_ < head_) {
        // Records are multiples of 8 bytes: a header never wraps.
        auto* header = reinterpret_cast<const perf_event_header*>(data_ + (tail_ & (size_ - 1)));
        current_ = header->size;
        if (header->type == PERF_RECORD_SAMPLE && current_ >= sizeof(*header) + sizeof(uint32_t)) {
            const std::byte* record = at(tail_, current_) + sizeof(*header);
            uint32_t bytes;
            memcpy(&bytes, record, sizeof(bytes));
            if (bytes <= current_ - sizeof(*header) - sizeof(bytes))
                return oldest_ = {record + sizeof(bytes), bytes};
        }
        if (header->type == PERF_RECORD_LOST && current_ >= sizeof(LostRecord)) {
            LostRecord lost;
            memcpy(&lost, at(tail_, sizeof(lost)), sizeof(lost));
            count_.lost += lost.count;
        }
        take();
    }
    return {};
}

void CpuBuffer::take() {
    tail_ += current_;
    oldest_ = {};
}

void CpuBuffer::give_back() {
    std::atomic_ref(control_->data_tail).store(tail_, std::memory_order_release);
}

} // namespace ebpf_loader
