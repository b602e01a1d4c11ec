// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>

namespace telemetry {

/// What reading the files of a process has cost, or may cost. It is counted, not timed, so that the same
/// input costs the same on every machine.
struct Work {
    uint64_t reads = 0;   ///< system calls
    uint64_t bytes = 0;   ///< copied by them
    uint64_t entries = 0; ///< parsed or compared: sections, symbols, entries of tables and their instructions

    /// About as many nanoseconds as it takes.
    uint64_t cost() const { return reads * 500 + bytes / 4 + entries * 5; }
};

/// What is left of the work that one stack may cost. Whoever reads or parses asks first, and gives up when
/// the answer is no: what a process can put into its files has no bound of its own.
class WorkBudget {
  public:
    WorkBudget() = default; ///< without end
    explicit WorkBudget(const Work& limit) : limit_(limit), stop_(limit) {}

    bool read(uint64_t bytes);
    bool parse(uint64_t entries = 1);
    /// Work that was done elsewhere for the same stack.
    void charge(const Work& done);
    bool is_spent() const { return is_spent_; }
    const Work& used() const { return used_; }

    /// A part of the work, with a limit of its own: one search in one file. When it ends, the rest of the
    /// budget is there again.
    class Operation {
      public:
        Operation(WorkBudget& budget, const Work& limit);
        ~Operation();
        Operation(const Operation&) = delete;
        Operation& operator=(const Operation&) = delete;

        /// It is this operation that was too much, whatever came before it.
        bool is_too_much() const;

      private:
        WorkBudget& budget_;
        Work stop_, outer_;
    };

  private:
    bool check();

    static constexpr Work endless = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    Work limit_ = endless, stop_ = endless, used_;
    bool is_spent_ = false;
};

/// Who may cost how much over time. A process that goes on costing more has to wait, and all of them together
/// have a bound too, since a process can start others. Time is that of the events.
class WorkShares {
  public:
    struct Share {
        uint64_t per_second; ///< of Work::cost
        uint64_t at_once;
    };
    struct Limits {
        Share process = {50'000'000, 100'000'000};
        Share all = {150'000'000, 300'000'000};
        size_t processes = 1024;
    };
    using Process = std::tuple<uint32_t, uint64_t, uint32_t>; ///< pid, start, image

    WorkShares() : WorkShares(Limits()) {}
    explicit WorkShares(const Limits& limits) : limits_(limits) {}

    /// May the process cost more now?
    bool has_left(const Process& process, uint64_t now_ns);
    void charge(const Process& process, uint64_t cost);

  private:
    /// Filled over time up to its size. What costs more than is left of it makes a debt.
    struct Account {
        int64_t left = 0;
        uint64_t since_ns = 0;
        void fill(const Share& share, uint64_t now_ns);
    };

    Limits limits_;
    Account all_;
    std::map<Process, Account> processes_;
};

} // namespace telemetry
