// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/abi/record.h>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/base/cpus.hpp"
#include "loader/src/read/record_source.hpp"

#include <algorithm>
#include <atomic>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <linux/perf_event.h>
#include <list>
#include <map>
#include <string>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <vector>

namespace ebpf_loader {
namespace {

/// What the kernel leaves in a buffer that was full, once there is room again.
struct LostRecord {
    perf_event_header header;
    uint64_t id, count;
};

/// One CPU's buffer. Records are looked at in place; one that wraps is copied first.
class CpuBuffer {
  public:
    /// Takes what open_event() returned.
    CpuBuffer(UniqueFd fd, int map_fd, int cpu, size_t bytes, int epoll_fd);
    /// Notes how far the kernel has written: what next() may return until the next call.
    void refresh();
    /// The oldest record not yet taken, empty when there is none. Skips what is not a sample.
    std::span<const std::byte> next();
    bool is_empty() { return next().empty() && tail_ == head_; }
    /// Takes the record that next() returned.
    void take();
    void take_record() {
        take();
        ++count_.taken;
    }
    /// Gives the room of what was taken back to the kernel.
    void give_back();
    bool half_full() const { return head_ - tail_ > size_ / 2; }
    BufferCount count() const { return count_; }

  private:
    const std::byte* at(uint64_t position, size_t bytes);

    UniqueFd fd_;
    Mapping map_;
    perf_event_mmap_page* control_ = nullptr;
    const std::byte* data_ = nullptr;
    size_t size_;
    uint64_t head_ = 0, tail_ = 0;
    BufferCount count_;                 ///< `lost`: before the last one that was read
    std::span<const std::byte> oldest_; ///< what next() returned, until it is taken
    size_t current_ = 0;                ///< bytes of that record, its header included
    std::vector<std::byte> straight_;
};

/// The buffer wakes its source when an eighth of it waits, not for each record.
UniqueFd open_event(int cpu, size_t bytes) {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
    attributes.sample_type = PERF_SAMPLE_RAW;
    attributes.watermark = 1;
    attributes.wakeup_watermark = static_cast<uint32_t>(bytes / 8);
    return UniqueFd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1,
                                             static_cast<unsigned long>(PERF_FLAG_FD_CLOEXEC))));
}

[[noreturn]] void fail(const std::string& what, int cpu) {
    throw Error(ErrorCode::resources,
                "cannot " + what + " the perf buffer of CPU " + std::to_string(cpu) + ": " + strerror(errno),
                ErrorCause::buffer_refused);
}

CpuBuffer::CpuBuffer(UniqueFd fd, int map_fd, int cpu, size_t bytes, int epoll_fd)
    : fd_(std::move(fd)), size_(bytes) {
    const size_t page = sysconf(_SC_PAGESIZE);
    void* address = mmap(nullptr, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (address == MAP_FAILED)
        fail("map", cpu);
    map_ = Mapping(address, page + bytes);
    control_ = static_cast<perf_event_mmap_page*>(address);
    data_ = map_.data() + page;
    const int key = cpu, value = fd_.get();
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    if (ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) || bpf_map_update_elem(map_fd, &key, &value, BPF_ANY) ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_.get(), &event))
        fail("set up", cpu);
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

/// Merges the CPUs' buffers by time. A record is handed over once no older one can
/// still come: when every buffer has been looked at after the record's time.
class PerfSource : public RecordSource {
  public:
    explicit PerfSource(const PerfBuffers& buffers);
    size_t drain(const Handler& handler, bool all) override;
    void wait(std::chrono::milliseconds timeout) override;
    std::vector<BufferCount> counts() const override;

  private:
    uint64_t now() const;
    bool refresh();
    CpuBuffer* oldest(uint64_t until);
    void follow_cpus();
    void renew(int cpu, size_t array);
    void drop_retired();

    const PerfBuffers settings_;
    const clockid_t clock_;
    UniqueFd epoll_;
    std::map<std::pair<int, size_t>, CpuBuffer> buffers_; ///< by CPU and array
    std::list<std::pair<int, CpuBuffer>> retired_;        ///< of CPUs that were away: nothing comes any more
    std::vector<CpuBuffer*> waiting_;                     ///< those that have records, while draining
    std::vector<uint64_t> without_buffer_;                ///< when it was looked at last
    std::vector<BufferCount> dropped_;                    ///< of buffers that are no more
    uint64_t certain_until_ = 0;                          ///< records before this time are all in the buffers
    uint64_t cpus_checked_ = 0;
};

PerfSource::PerfSource(const PerfBuffers& buffers)
    : settings_(buffers), clock_(buffers.boot_clock ? CLOCK_BOOTTIME : CLOCK_MONOTONIC),
      epoll_(epoll_create1(EPOLL_CLOEXEC)), without_buffer_(buffers.without_buffer()) {
    if (!epoll_)
        throw Error(ErrorCode::resources, std::string("cannot wait for perf buffers: ") + strerror(errno));
    follow_cpus();
}

uint64_t PerfSource::now() const {
    timespec time{};
    clock_gettime(clock_, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// CPUs may come and go. One that was away has ended its buffer, as its records show; what is
/// in there is still read.
void PerfSource::follow_cpus() {
    const std::vector<uint64_t> without = settings_.without_buffer();
    for (int cpu : online_cpus()) {
        const bool has_them = buffers_.contains({cpu, settings_.arrays.size() - 1});
        if (has_them && without.at(cpu) == without_buffer_.at(cpu))
            continue;
        for (size_t i = 0; i < settings_.arrays.size(); i++)
            renew(cpu, i);
    }
    without_buffer_ = without;
    cpus_checked_ = now();
}

void PerfSource::renew(int cpu, size_t array) {
    const auto [map_fd, bytes] = settings_.arrays[array];
    UniqueFd fd = open_event(cpu, bytes);
    if (!fd && errno == ENODEV)
        return; // it went offline this moment
    if (!fd)
        fail("open", cpu);
    const auto found = buffers_.find({cpu, array});
    if (found != buffers_.end()) {
        retired_.emplace_back(cpu, std::move(found->second));
        buffers_.erase(found);
    }
    buffers_.try_emplace({cpu, array}, std::move(fd), map_fd, cpu, bytes, epoll_.get());
}

void PerfSource::drop_retired() {
    for (auto retired = retired_.begin(); retired != retired_.end();) {
        auto& [cpu, buffer] = *retired;
        if (!buffer.is_empty()) {
            ++retired;
            continue;
        }
        dropped_.resize(std::max<size_t>(dropped_.size(), cpu + 1));
        dropped_[cpu] += buffer.count();
        retired = retired_.erase(retired);
    }
}

uint64_t time_of(std::span<const std::byte> record) {
    uint64_t time = 0;
    if (record.size() >= sizeof(ebt_header))
        memcpy(&time, record.data() + offsetof(ebt_header, time), sizeof(time));
    return time;
}

/// What the kernel has written by now; true when one of the buffers is about to be full.
bool PerfSource::refresh() {
    bool pressed = false;
    waiting_.clear();
    const auto look_at = [&](CpuBuffer& buffer) {
        buffer.refresh();
        pressed |= buffer.half_full();
        if (!buffer.next().empty())
            waiting_.push_back(&buffer);
    };
    for (auto& [cpu, buffer] : retired_)
        look_at(buffer);
    for (auto& [key, buffer] : buffers_)
        look_at(buffer);
    return pressed;
}

/// The buffer whose record is the oldest, among those from before `until`.
CpuBuffer* PerfSource::oldest(uint64_t until) {
    CpuBuffer* oldest = nullptr;
    for (CpuBuffer* buffer : waiting_) {
        const uint64_t time = time_of(buffer->next());
        if (time < until) {
            oldest = buffer;
            until = time;
        }
    }
    return oldest;
}

size_t PerfSource::drain(const Handler& handler, bool all) {
    const uint64_t started = now();
    const bool pressed = refresh();
    // What a slot wrote before `started` is in the buffers, in whichever of its CPU's.
    const uint64_t until = all ? UINT64_MAX : pressed ? started : certain_until_;
    size_t records = 0;
    while (CpuBuffer* buffer = oldest(until)) {
        handler(buffer->next());
        buffer->take_record();
        records++;
        if (records % 64 == 0)
            buffer->give_back();
        if (buffer->next().empty()) {
            buffer->give_back();
            std::erase(waiting_, buffer);
        }
    }
    for (CpuBuffer* buffer : waiting_)
        buffer->give_back();
    if (!retired_.empty())
        drop_retired();
    certain_until_ = started;
    return records;
}

void PerfSource::wait(std::chrono::milliseconds timeout) {
    constexpr uint64_t cpu_check_ns = 1'000'000'000;
    epoll_event event;
    epoll_wait(epoll_.get(), &event, 1, static_cast<int>(timeout.count()));
    if (now() - cpus_checked_ <= cpu_check_ns)
        return;
    try {
        follow_cpus();
    } catch (const Error&) { // what it has no memory for now: losses there are counted
        cpus_checked_ = now();
    }
}

std::vector<BufferCount> PerfSource::counts() const {
    std::vector<BufferCount> counts = dropped_;
    counts.resize(std::max<size_t>(counts.size(), buffers_.empty() ? 0 : buffers_.rbegin()->first.first + 1));
    for (const auto& [key, buffer] : buffers_)
        counts[key.first] += buffer.count();
    for (const auto& [cpu, buffer] : retired_)
        counts.at(cpu) += buffer.count();
    return counts;
}

} // namespace

std::unique_ptr<RecordSource> make_perf_source(const PerfBuffers& buffers) {
    return std::make_unique<PerfSource>(buffers);
}

} // namespace ebpf_loader
