// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/error.hpp>

#include "loader/src/base/clock.hpp"
#include "loader/src/base/cpus.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/read/cpu_buffer.hpp"
#include "loader/src/read/flow_watch.hpp"
#include "loader/src/read/merge.hpp"
#include "loader/src/read/record_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <list>
#include <map>
#include <string>
#include <sys/epoll.h>
#include <utility>
#include <vector>

namespace ebpf_loader {
namespace {

/// Merges the CPUs' buffers by time. A record is handed over once no older one can
/// still come: when every buffer has been looked at after the record's time.
class PerfSource : public RecordSource {
  public:
    explicit PerfSource(const PerfBuffers& buffers);
    size_t drain(const Handler& handler, bool all) override;
    void wait(std::chrono::milliseconds timeout) override;
    std::vector<BufferCount> counts() const override;
    std::vector<Tampering> take_tampering() override { return std::exchange(tampering_, {}); }

  private:
    bool refresh();
    void look_after_buffers();
    void look_when_due(uint64_t now);
    void renew(int cpu);
    void renew(int cpu, size_t array);
    bool restore(int cpu);
    bool are_empty(int cpu);
    void drop_retired();

    const PerfBuffers settings_;
    UniqueFd epoll_;
    std::map<std::pair<int, size_t>, CpuBuffer> buffers_; ///< by CPU and array
    std::list<std::pair<int, CpuBuffer>> retired_;        ///< of CPUs that were away: nothing comes any more
    Merge<CpuBuffer> merge_;                              ///< of those that have records, while draining
    std::vector<CpuOutput> output_;                       ///< when it was looked at last
    std::vector<FlowWatch> watches_;                      ///< by CPU
    std::vector<Tampering> tampering_;
    std::vector<BufferCount> dropped_; ///< of buffers that are no more
    uint64_t certain_until_ = 0;       ///< records before this time are all in the buffers
    uint64_t looked_at_ = 0;           ///< when
    int drains_ = 0;                   ///< since then
};

PerfSource::PerfSource(const PerfBuffers& buffers)
    : settings_(buffers), epoll_(epoll_create1(EPOLL_CLOEXEC)), output_(buffers.output()) {
    if (!epoll_)
        throw Error(ErrorCode::resources, std::string("cannot wait for perf buffers: ") + strerror(errno));
    look_after_buffers();
    looked_at_ = clock_ns(settings_.clock);
}

/// CPUs may come and go, and others may change what is theirs.
void PerfSource::look_after_buffers() {
    const std::vector<CpuOutput> output = settings_.output();
    const std::vector<BufferCount> read = counts();
    const size_t known = tampering_.size();
    watches_.resize(output.size(), FlowWatch(is_running_since(5, 1)));
    for (int cpu : online_cpus()) {
        const CpuOutput &now = output.at(cpu), &before = output_.at(cpu);
        const bool is_refused = now.without_buffer != before.without_buffer;
        const bool misses = watches_[cpu].misses(now, read.at(cpu), are_empty(cpu));
        const auto ordinary = buffers_.find({cpu, 0});
        const bool was_full = ordinary == buffers_.end() || ordinary->second.was_full();
        const bool is_paused = now.full != before.full && !was_full;
        if (!buffers_.contains({cpu, settings_.arrays.size() - 1}))
            renew(cpu);
        else if (!is_refused && !is_paused && !misses)
            continue;
        else if (!restore(cpu))
            renew(cpu);
        else
            tampering_.push_back({"the perf buffer of CPU " + std::to_string(cpu), true});
    }
    output_ = output;
    if (tampering_.size() != known)
        for (auto& [key, buffer] : buffers_) // whoever changed one may have changed all
            buffer.restore();
}

/// A buffer of a CPU that was away has ended; what is in there is still read.
void PerfSource::renew(int cpu) {
    for (size_t i = 0; i < settings_.arrays.size(); i++)
        renew(cpu, i);
}

bool PerfSource::restore(int cpu) {
    bool all = true;
    for (size_t i = 0; i < settings_.arrays.size(); i++)
        all &= buffers_.at({cpu, i}).restore();
    return all;
}

bool PerfSource::are_empty(int cpu) {
    for (size_t i = 0; i < settings_.arrays.size(); i++)
        if (const auto found = buffers_.find({cpu, i}); found != buffers_.end() && !found->second.is_empty())
            return false;
    return true;
}

void PerfSource::renew(int cpu, size_t array) {
    const auto [map_fd, bytes] = settings_.arrays[array];
    UniqueFd fd = open_buffer_event(cpu, bytes);
    if (!fd && errno == ENODEV)
        return; // it went offline this moment
    if (!fd)
        fail_buffer("open", cpu);
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

/// What the kernel has written by now; true when one of the buffers is about to be full.
bool PerfSource::refresh() {
    bool pressed = false;
    merge_.clear();
    const auto look_at = [&](CpuBuffer& buffer) {
        buffer.refresh();
        pressed |= buffer.half_full();
        merge_.add(buffer);
    };
    for (auto& [cpu, buffer] : retired_)
        look_at(buffer);
    for (auto& [key, buffer] : buffers_)
        look_at(buffer);
    return pressed;
}

size_t PerfSource::drain(const Handler& handler, bool all) {
    const uint64_t started = clock_ns(settings_.clock);
    const bool pressed = refresh();
    // What a slot wrote before `started` is in the buffers, in whichever of its CPU's.
    const uint64_t until = all ? UINT64_MAX : pressed ? started : certain_until_;
    const size_t records = merge_.drain(handler, until);
    if (!retired_.empty())
        drop_retired();
    certain_until_ = started;
    ++drains_;
    if (!all)
        look_when_due(started);
    return records;
}

/// The second drain after a look has taken what was emitted before it.
void PerfSource::look_when_due(uint64_t now) {
    constexpr uint64_t interval_ns = 500'000'000;
    if (drains_ < 2 || now - looked_at_ < interval_ns)
        return;
    drains_ = 0;
    looked_at_ = now;
    try {
        look_after_buffers();
    } catch (const Error&) { // what it has no memory for now: losses there are counted
    }
}

void PerfSource::wait(std::chrono::milliseconds timeout) {
    epoll_event event;
    epoll_wait(epoll_.get(), &event, 1, static_cast<int>(timeout.count()));
}

std::vector<BufferCount> PerfSource::counts() const {
    std::vector<BufferCount> counts = dropped_;
    counts.resize(std::max(counts.size(), output_.size()));
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
