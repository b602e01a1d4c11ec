// SPDX-License-Identifier: MIT
#include "test/kernel/witness/support.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"

namespace kernel_test {

unsigned race_rounds(unsigned most) {
    const char* asked = std::getenv("EBT_RACE_ROUNDS");
    const unsigned long rounds = asked ? std::strtoul(asked, nullptr, 10) : 30;
    return static_cast<unsigned>(std::min<unsigned long>(rounds, most));
}

WitnessFolder::WitnessFolder() {
    char name[] = "/tmp/ebt_witness.XXXXXX";
    if (!mkdtemp(name))
        throw std::runtime_error("no folder can be made in /tmp");
    path = name;
}

WitnessFolder::~WitnessFolder() {
    EXPECT_EQ(system(("rm -rf " + path).c_str()), 0);
}

WitnessTest::WitnessTest(ebpf_loader::Tier tier) : tier_(tier), options_(engine_options(tier)) {
    options_.witness = true;
}

WitnessTest::Events WitnessTest::run(const std::string& text, const std::function<void()>& body, From from) {
    return std::move(run_each(text, {body}, from).front());
}

std::vector<WitnessTest::Events>
WitnessTest::run_each(const std::string& text, const std::vector<std::function<void()>>& bodies, From from) {
    const auto rules = telemetry::Rules::parse(text, "rules of the test");
    ebpf_loader::Engine engine(rules.compile(), options_);
    Collector collector(engine);
    engine.start();
    counts_sharers_ = engine.offsets().get(*ebpf_loader::Offsets::find("mm_struct.mm_users")).has_value();
    for (const auto& verdict : engine.witnesses())
        witnessed_ |= verdict.needed && verdict.attached;
    std::vector<pid_t> children;
    for (const auto& body : bodies)
        children.push_back(run_child(body, collector));
    collector.finish();
    EXPECT_EQ(collector.problems(can_miss_runs(tier_)), "");
    std::vector<Events> events(bodies.size());
    const auto is_of = [&](const telemetry::Event& event, pid_t pid) {
        const auto child = static_cast<uint32_t>(pid);
        return from == From::all           ? true
               : from == From::descendants ? event.ppid == child
                                           : event.pid == child && event.tid == event.pid;
    };
    for (OwnedEvent& event : collector.take_events()) {
        const auto child =
            std::find_if(children.begin(), children.end(), [&](pid_t pid) { return is_of(*event, pid); });
        if (child != children.end())
            events[static_cast<size_t>(child - children.begin())].push_back(std::move(event));
    }
    for (Events& one : events)
        std::stable_sort(one.begin(), one.end(),
                         [](const OwnedEvent& a, const OwnedEvent& b) { return a->time_ns < b->time_ns; });
    return events;
}

std::vector<std::string> WitnessTest::attached(const std::string& text) {
    const auto rules = telemetry::Rules::parse(text, "rules of the test");
    ebpf_loader::Engine engine(rules.compile(), options_);
    engine.start();
    std::vector<std::string> functions;
    for (const auto& verdict : engine.witnesses())
        if (verdict.attached)
            functions.emplace_back(verdict.function);
    engine.stop();
    return functions;
}

void* new_shared_memory(size_t size) {
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("no shared memory");
    return memory;
}

void delete_shared_memory(void* memory, size_t size) {
    munmap(memory, size);
}

void while_changing(const std::function<void(unsigned)>& change, const std::function<void()>& act) {
    std::atomic<bool> over = false;
    std::atomic<unsigned> changes = 0;
    std::thread other([&] {
        for (unsigned i = 0; !over; i++) {
            change(i);
            changes = i + 1;
        }
    });
    while (changes == 0) // there is something that the call can be about
        std::this_thread::yield();
    act();
    over = true;
    other.join();
}

} // namespace kernel_test
