// SPDX-License-Identifier: MIT
#include <ebpf_loader/unique_fd.hpp>

#include "test/bench/subject/floor.h"
#include "test/bench/subject/watcher.hpp"

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/base/libbpf_quiet.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <vector>

extern "C" const char bench_floor_start[];
extern "C" const char bench_floor_end[];

namespace bench {
namespace {

using ebpf_loader::LibbpfQuiet, ebpf_loader::LinkPtr, ebpf_loader::ObjectPtr, ebpf_loader::UniqueFd;

constexpr int poll_ms = 20;

[[noreturn]] void fail(const std::string& what, int error) {
    throw std::runtime_error("floor: " + what + ": " + strerror(error));
}

struct RingDeleter {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
struct PerfDeleter {
    void operator()(perf_buffer* perf) const { perf_buffer__free(perf); }
};

struct Floor {
    const char* name;
    std::vector<const char*> programs;
    bool ring = false;
    bool perf = false;
};

const std::vector<Floor>& floors() {
    static const std::vector<Floor> all = {
        {"empty", {"empty"}},
        {"empty_tp", {"empty_tp"}},
        {"bitmap", {"bitmap"}},
        {"record_ring", {"record_ring", "exit_ring"}, true, false},
        {"record_perf", {"record_perf", "exit_perf"}, false, true},
    };
    return all;
}

class FloorWatcher : public Watcher {
  public:
    explicit FloorWatcher(const Floor& floor);
    void on() override;
    void off() override;
    void poll() override;
    std::map<std::string, uint64_t> counts() const override;

  private:
    int map_fd(const char* name) const {
        return bpf_map__fd(bpf_object__find_map_by_name(object_.get(), name));
    }
    void open();
    void select_calls();
    void make_ring();
    void make_perf();
    uint64_t lost() const;

    static int on_ring_record(void* self, void* data, size_t bytes);
    static bpf_perf_event_ret on_perf_event(void* self, int cpu, perf_event_header* event);
    void count(size_t bytes) {
        records_++;
        bytes_ += bytes;
    }

    const Floor& floor_;
    ObjectPtr object_;
    std::vector<LinkPtr> links_;
    UniqueFd epoll_;
    std::unique_ptr<ring_buffer, RingDeleter> ring_;
    std::unique_ptr<perf_buffer, PerfDeleter> perf_;
    uint64_t records_ = 0;
    uint64_t bytes_ = 0;
};

FloorWatcher::FloorWatcher(const Floor& floor) : floor_(floor) {
    const LibbpfQuiet quiet;
    open();
    if (const int error = bpf_object__load(object_.get()))
        fail(std::string("the kernel refuses ") + floor.name, -error);
    select_calls();
    if (floor.ring)
        make_ring();
    if (floor.perf)
        make_perf();
}

/// Only what this floor needs: kernels without ring buffers have the other floors.
void FloorWatcher::open() {
    bpf_object_open_opts options{};
    options.sz = sizeof(options);
    options.object_name = "floor";
    const size_t bytes = static_cast<size_t>(bench_floor_end - bench_floor_start);
    object_.reset(bpf_object__open_mem(bench_floor_start, bytes, &options));
    if (!object_)
        fail("the object cannot be read", errno);
    bpf_program* program;
    bpf_object__for_each_program(program, object_.get()) bpf_program__set_autoload(program, false);
    for (const char* name : floor_.programs)
        bpf_program__set_autoload(bpf_object__find_program_by_name(object_.get(), name), true);
    bpf_map__set_autocreate(bpf_object__find_map_by_name(object_.get(), "ring"), floor_.ring);
    bpf_map__set_autocreate(bpf_object__find_map_by_name(object_.get(), "perf"), floor_.perf);
}

/// The calls of cost.rules.
void FloorWatcher::select_calls() {
    const auto select = [&](uint32_t nr, floor_call call) {
        call.is_selected = 1;
        if (bpf_map_update_elem(map_fd("calls"), &nr, &call, BPF_ANY))
            fail("cannot select a call", errno);
    };
    constexpr uint32_t to_write = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    select(SYS_openat, {.flags = to_write, .has_path = 1, .path_argument = 1});
    select(SYS_unlink, {.has_path = 1});
    select(SYS_connect, {});
    select(SYS_execve, {.has_path = 1});
}

void FloorWatcher::make_ring() {
    ring_.reset(ring_buffer__new(map_fd("ring"), on_ring_record, this, nullptr));
    // Edge-triggered: woken when the program says so, not as soon as one record waits.
    epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    if (!ring_ || !epoll_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, map_fd("ring"), &event))
        fail("cannot read the ring", errno);
}

void FloorWatcher::make_perf() {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
    attributes.sample_type = PERF_SAMPLE_RAW;
    attributes.sample_period = 1;
    attributes.watermark = 1;
    attributes.wakeup_watermark = FLOOR_WAKEUP_BYTES;
    perf_.reset(
        perf_buffer__new_raw(map_fd("perf"), FLOOR_PERF_PAGES, &attributes, on_perf_event, this, nullptr));
    if (!perf_)
        fail("cannot read the perf buffers", errno);
}

int FloorWatcher::on_ring_record(void* self, void*, size_t bytes) {
    static_cast<FloorWatcher*>(self)->count(bytes);
    return 0;
}

bpf_perf_event_ret FloorWatcher::on_perf_event(void* self, int, perf_event_header* event) {
    if (event->type == PERF_RECORD_SAMPLE)
        static_cast<FloorWatcher*>(self)->count(event->size);
    return LIBBPF_PERF_EVENT_CONT;
}

void FloorWatcher::on() {
    for (const char* name : floor_.programs) {
        LinkPtr link(bpf_program__attach(bpf_object__find_program_by_name(object_.get(), name)));
        if (!link)
            fail(std::string("cannot attach ") + name, errno);
        links_.push_back(std::move(link));
    }
}

void FloorWatcher::off() {
    links_.clear();
    if (ring_)
        ring_buffer__consume(ring_.get());
    if (perf_)
        perf_buffer__consume(perf_.get());
}

void FloorWatcher::poll() {
    epoll_event event;
    if (ring_) {
        epoll_wait(epoll_.get(), &event, 1, poll_ms);
        ring_buffer__consume(ring_.get());
    } else if (perf_) {
        perf_buffer__poll(perf_.get(), poll_ms);
        perf_buffer__consume(perf_.get());
    } else {
        ::poll(nullptr, 0, poll_ms);
    }
}

uint64_t FloorWatcher::lost() const {
    const uint32_t zero = 0;
    std::vector<uint64_t> each(static_cast<size_t>(libbpf_num_possible_cpus()));
    uint64_t sum = 0;
    if (!bpf_map_lookup_elem(map_fd("lost"), &zero, each.data()))
        for (uint64_t count : each)
            sum += count;
    return sum;
}

std::map<std::string, uint64_t> FloorWatcher::counts() const {
    std::map<std::string, uint64_t> counts;
    if (!floor_.ring && !floor_.perf)
        return counts;
    counts = {{"records", records_}, {"bytes", bytes_}, {"emitted", records_}};
    counts["lost.buffer_full"] = lost();
    counts["seen"] = records_ + counts["lost.buffer_full"];
    return counts;
}

} // namespace

std::unique_ptr<Watcher> make_floor(const std::string& name) {
    for (const Floor& floor : floors())
        if (name == floor.name)
            return std::make_unique<FloorWatcher>(floor);
    return nullptr;
}

} // namespace bench
