// SPDX-License-Identifier: MIT
// What CPUs cost each other that write to one ring buffer, and what it costs to read several in the order of
// time.
#include "test/bench/subject/rings.h"
#include "test/bench/parts/parts.hpp"

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/read/merge.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <algorithm>
#include <atomic>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <random>
#include <sched.h>
#include <stdexcept>
#include <thread>

extern "C" const char bench_rings_start[];
extern "C" const char bench_rings_end[];

namespace bench {
namespace {

using ebpf_loader::Mapping, ebpf_loader::ObjectPtr, ebpf_loader::UniqueFd;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what, int error) {
    throw std::runtime_error("rings: " + what + ": " + strerror(error));
}

/// A ring whose records are thrown away unread: only the writers are measured.
class EmptiedRing {
  public:
    EmptiedRing() : fd_(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench_ring", 0, 0, RINGS_BYTES, nullptr)) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        if (!fd_)
            fail("cannot make a ring buffer", errno);
        consumer_ = map(PROT_READ | PROT_WRITE, 0);
        producer_ = map(PROT_READ, static_cast<off_t>(page));
    }
    int fd() const { return fd_.get(); }
    void empty() {
        position(consumer_).store(position(producer_).load(std::memory_order_acquire),
                                  std::memory_order_release);
    }

  private:
    static std::atomic<unsigned long>& position(const Mapping& mapping) {
        return *reinterpret_cast<std::atomic<unsigned long>*>(mapping.data());
    }
    Mapping map(int protection, off_t offset) const {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        void* const address = mmap(nullptr, page, protection, MAP_SHARED, fd_.get(), offset);
        if (address == MAP_FAILED)
            fail("cannot map a ring buffer", errno);
        return Mapping(address, page);
    }

    UniqueFd fd_;
    Mapping consumer_, producer_;
};

struct Writing {
    uint64_t records = 0;
    double ns_each = 0;    ///< of a CPU's time
    double per_second = 0; ///< of all CPUs
    uint64_t refused = 0;
};

/// Writes records on these CPUs at once for a time.
class Writers {
  public:
    /// One ring for all of them, or one for each.
    Writers(std::vector<int> cpus, bool one_each);
    Writing run(milliseconds time);

  private:
    int map_fd(const char* name) const {
        return bpf_map__fd(bpf_object__find_map_by_name(object_.get(), name));
    }
    uint64_t write(int cpu, const std::atomic<bool>& is_over) const;
    uint64_t refused() const;

    std::vector<int> cpus_;
    std::vector<EmptiedRing> rings_;
    ObjectPtr object_;
    int program_ = -1;
};

Writers::Writers(std::vector<int> cpus, bool one_each)
    : cpus_(std::move(cpus)), rings_(one_each ? cpus_.size() : 1) {
    const ebpf_loader::LibbpfQuiet quiet;
    const auto bytes = static_cast<size_t>(bench_rings_end - bench_rings_start);
    object_.reset(bpf_object__open_mem(bench_rings_start, bytes, nullptr));
    if (!object_)
        fail("the object cannot be read", errno);
    bpf_map* const rings = bpf_object__find_map_by_name(object_.get(), "rings");
    bpf_map__set_max_entries(rings, static_cast<uint32_t>(*std::ranges::max_element(cpus_)) + 1);
    bpf_map__set_inner_map_fd(rings, rings_[0].fd());
    if (const int error = bpf_object__load(object_.get()))
        fail("the kernel refuses the program", -error);
    program_ = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), "write_records"));
    for (size_t i = 0; i < cpus_.size(); i++) {
        const int fd = rings_[i % rings_.size()].fd();
        if (bpf_map_update_elem(map_fd("rings"), &cpus_[i], &fd, BPF_ANY))
            fail("cannot set a ring", errno);
    }
}

/// Returns how many records it has written on this CPU.
uint64_t Writers::write(int cpu, const std::atomic<bool>& is_over) const {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        fail("cannot run on CPU " + std::to_string(cpu), errno);
    uint64_t records = 0;
    for (; !is_over; records += RINGS_RECORDS_A_RUN) {
        bpf_test_run_opts options{};
        options.sz = sizeof(options);
        if (bpf_prog_test_run_opts(program_, &options) || options.retval != 0)
            fail("the program cannot be run (raw tracepoints: Linux 5.10)", errno);
    }
    return records;
}

uint64_t Writers::refused() const {
    const uint32_t zero = 0;
    std::vector<uint64_t> each(static_cast<size_t>(libbpf_num_possible_cpus()));
    uint64_t sum = 0;
    if (!bpf_map_lookup_elem(map_fd("refused"), &zero, each.data()))
        for (uint64_t count : each)
            sum += count;
    return sum;
}

Writing Writers::run(milliseconds time) {
    std::atomic<bool> is_over = false;
    std::vector<uint64_t> written(cpus_.size());
    std::vector<std::exception_ptr> failures(cpus_.size());
    const uint64_t before = refused();
    const auto start = Clock::now();
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < cpus_.size(); i++)
        threads.emplace_back([&, i] {
            try {
                written[i] = write(cpus_[i], is_over);
            } catch (...) {
                failures[i] = std::current_exception();
            }
        });
    const sched_param first{.sched_priority = 1}; // for some microseconds each time
    sched_setscheduler(0, SCHED_FIFO, &first);
    while (Clock::now() - start < time) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        for (EmptiedRing& ring : rings_)
            ring.empty();
    }
    is_over = true;
    const sched_param usual{};
    sched_setscheduler(0, SCHED_OTHER, &usual);
    threads.clear();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
    Writing writing{.refused = refused() - before};
    for (uint64_t records : written)
        writing.records += records;
    writing.per_second = static_cast<double>(writing.records) / seconds;
    writing.ns_each = 1e9 * static_cast<double>(cpus_.size()) / writing.per_second;
    return writing;
}

/// 1, 2, 4 ... and all.
std::vector<size_t> counts_up_to(size_t all) {
    std::vector<size_t> counts;
    for (size_t count = 1; count < all; count *= 2)
        counts.push_back(count);
    counts.push_back(all);
    return counts;
}

void measure_writers(const Settings& settings, Report& report) {
    std::vector<Report::Row> rows;
    Json& raw = report.raw("rings");
    for (const size_t count : counts_up_to(settings.cpus.size()))
        for (const bool one_each : {false, true}) {
            if (count == 1 && one_each)
                continue;
            const size_t rings = one_each ? count : 1;
            say("rings: " + std::to_string(count) + " CPUs, " + std::to_string(rings) + " rings");
            Writers writers({settings.cpus.begin(), settings.cpus.begin() + static_cast<ptrdiff_t>(count)},
                            one_each);
            std::vector<double> ns;
            Writing sum;
            for (int i = 0; i < settings.extent.pairs; i++) {
                const Writing one = writers.run(milliseconds(settings.extent.cost_ms));
                ns.push_back(one.ns_each);
                sum.records += one.records;
                sum.refused += one.refused;
            }
            const Spread each = spread(ns);
            const double refused = 100 * static_cast<double>(sum.refused) / static_cast<double>(sum.records);
            rows.push_back(
                {std::to_string(count), std::to_string(rings),
                 decimals(each.median, 0) + " (" + decimals(each.low, 0) + "–" + decimals(each.high, 0) + ")",
                 decimals(static_cast<double>(count) * 1e3 / each.median, 2), decimals(refused, 2) + "%"});
            raw["writers"].push_back({{"cpus", count}, {"rings", rings}, {"ns", as_json(each)}});
        }
    report.text(
        "Each CPU writes records of " + std::to_string(RINGS_RECORD_BYTES) +
        " bytes and does nothing else, as no program can: how long one takes, and how many all of the CPUs "
        "write in a second. Who reads throws them away unread; what found no room took less.");
    report.table({"CPUs", "rings", "ns a record", "million records/s", "found no room"}, rows);
}

/// A buffer in memory whose records are their times.
class Times {
  public:
    void put(uint64_t time) {
        ebt_header header{};
        header.time = time;
        headers_.push_back(header);
    }
    void rewind() { taken_ = 0; }
    std::span<const std::byte> next() {
        return taken_ < headers_.size() ? std::as_bytes(std::span(&headers_[taken_], 1))
                                        : std::span<const std::byte>();
    }
    void take_record() { taken_++; }
    void give_back() {}

  private:
    std::vector<ebt_header> headers_;
    size_t taken_ = 0;
};

double time_merge(size_t buffers, size_t records) {
    std::vector<Times> all(buffers);
    std::mt19937 random(1);
    for (uint64_t time = 0; time < records; time++)
        all[random() % buffers].put(time);
    ebpf_loader::Merge<Times> merge;
    double best = 1e9;
    for (int turn = 0; turn < 5; turn++) {
        merge.clear();
        for (Times& times : all) {
            times.rewind();
            merge.add(times);
        }
        size_t bytes = 0;
        const auto start = Clock::now();
        merge.drain([&](std::span<const std::byte> record) { bytes += record.size(); }, UINT64_MAX);
        const auto took = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
        if (bytes != records * sizeof(ebt_header))
            throw std::runtime_error("rings: records are missing after merging");
        best = std::min(best, took / static_cast<double>(records));
    }
    return best;
}

void measure_merge(Report& report) {
    constexpr size_t records = 200'000;
    std::vector<Report::Row> rows;
    for (const size_t buffers : {1, 2, 8, 32, 256}) {
        const double ns = time_merge(buffers, records);
        rows.push_back({std::to_string(buffers), decimals(ns, 1)});
        report.raw("rings")["merge"].push_back({{"buffers", buffers}, {"ns", ns}});
    }
    report.text(
        "What the reader adds to a record to put the buffers' records into the order of time, at best of "
        "five turns:");
    report.table({"buffers", "ns a record"}, rows);
}

} // namespace

void measure_rings(const Settings& settings, Report& report) {
    report.heading("Rings");
    try {
        measure_writers(settings, report);
    } catch (const std::exception& error) {
        report.text(std::string("Writers were not measured: ") + error.what());
        report.raw("rings")["failure"] = error.what();
    }
    measure_merge(report);
}

} // namespace bench
