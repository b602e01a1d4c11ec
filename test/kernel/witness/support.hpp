// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "test/kernel/fixture.hpp"

namespace kernel_test {

/// How often a race of two threads is run: EBT_RACE_ROUNDS times (test.sh --all: 1,000), else 30, and at most
/// so often.
unsigned race_rounds(unsigned most);

/// A folder for one test, which its children and the test itself share.
class WitnessFolder {
  public:
    WitnessFolder();
    ~WitnessFolder();
    WitnessFolder(const WitnessFolder&) = delete;
    WitnessFolder& operator=(const WitnessFolder&) = delete;
    std::string operator/(const std::string& name) const { return path + "/" + name; }
    std::string path;
};

/// Runs a child under an engine with witnesses.
class WitnessTest : public testing::Test {
  public:
    explicit WitnessTest(ebpf_loader::Tier tier);

  protected:
    using Events = std::vector<OwnedEvent>;
    enum class From { child, descendants, all };

    /// Runs `body` in a child under an engine with these rules. Returns the events of its first
    /// thread, or those of the processes that it makes, or those of everybody, in order of time.
    Events run(const std::string& rules, const std::function<void()>& body, From from = From::child);
    /// The same for several, one after the other under one engine, whose start costs more than most bodies.
    std::vector<Events> run_each(const std::string& rules, const std::vector<std::function<void()>>& bodies,
                                 From from = From::child);
    /// The kprobes of an engine with these rules.
    std::vector<std::string> attached(const std::string& rules);

    const ebpf_loader::Tier tier_;
    bool witnessed_ = false;      ///< this kernel has kprobes
    bool counts_sharers_ = false; ///< where it counts who shares what is known

  private:
    ebpf_loader::EngineOptions options_;
};

void* new_shared_memory(size_t size);
void delete_shared_memory(void* memory, size_t size);

/// Memory that the children share with the test.
template <typename T> class SharedMemory {
  public:
    SharedMemory() : memory_(new (new_shared_memory(sizeof(T))) T) {}
    ~SharedMemory() { delete_shared_memory(memory_, sizeof(T)); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    T* operator->() const { return memory_; }

  private:
    T* memory_;
};

/// Calls `change` in a second thread with 0, 1, 2 ... all the while that `act` runs.
void while_changing(const std::function<void(unsigned)>& change, const std::function<void()>& act);

void register_sharing_tests(ebpf_loader::Tier tier);
void register_witness_path_tests(ebpf_loader::Tier tier);
void register_witness_race_tests(ebpf_loader::Tier tier);
void register_witness_address_tests(ebpf_loader::Tier tier);
void register_io_uring_tests(ebpf_loader::Tier tier);
void register_witness_cost_tests(ebpf_loader::Tier tier);

} // namespace kernel_test
