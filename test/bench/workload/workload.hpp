// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace workload {

/// What the calls need to know.
struct Setting {
    std::string folder;     ///< of our own, to make files in
    size_t depth = 1;       ///< open_write: folders above the file, below `folder`
    size_t argv_bytes = 0;  ///< exec: so many bytes of further arguments
    size_t processes = 100; ///< turns: that take turns
};

/// Something to be timed: many calls of one kind in a row.
class Call {
  public:
    virtual ~Call() = default;
    /// The most that prepare() can make ready.
    virtual size_t most() const { return SIZE_MAX; }
    /// Not timed.
    virtual void prepare(size_t count) { (void)count; }
    /// Timed. Throws when a call does not end as it should.
    virtual void run(size_t count) = 0;
};

/// getppid, open_read, open_write, unlink, connect, exec or turns; null for any other.
std::unique_ptr<Call> make_call(const std::string& name, const Setting& setting);

/// Runs only on this CPU from here on.
void pin(int cpu);
uint64_t now_ns();
[[noreturn]] void fail(const std::string& what);

/// One process a CPU, each opening a file of its own for writing as fast as it can.
struct Storm {
    std::vector<int> cpus;
    uint64_t time_ns = 0;
    std::string folder;
};
int run_storm(const Storm& storm);

/// `count` processes that end at once, as many at a time as there are CPUs.
int run_short_lived(const std::vector<int>& cpus, uint64_t count);

} // namespace workload
