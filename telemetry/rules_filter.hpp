// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

#include "event.hpp"
#include "rules_resolve.hpp"

namespace telemetry::rules {

/// The kernel's part of a filter, as a Selection takes it.
struct KernelFilter {
    std::vector<ebt_predicate> predicates;
    bool include_all = false;
    bool exact = false; ///< lets through only what the whole filter does
};

/// ORed clauses, laid out to be evaluated without a detour: clauses with the same numeric
/// part share it, so that a long list of paths costs one look at the numbers.
class ClauseTable {
  public:
    ClauseTable() = default;
    explicit ClauseTable(const std::vector<Tests>& clauses);
    /// Is a clause true? A text that could not be read compares as `when_unknown`.
    bool any(const Event& event, bool when_unknown) const;

  private:
    struct Range {
        uint32_t begin;
        uint32_t end;
    };
    struct Group {
        Range numbers;      ///< of numbers_: ANDed
        Range alternatives; ///< of alternatives_: ORed; one without texts is true
    };

    bool numbers_hold(Range range, const Event& event) const;
    bool texts_hold(Range range, const Event& event, bool when_unknown) const;

    std::vector<Group> groups_;
    std::vector<Range> alternatives_; ///< of texts_: ANDed
    std::vector<NumberTest> numbers_;
    std::vector<TextTest> texts_;
};

/// All rules for one kind of event, put together.
class CallFilter {
  public:
    void include(Tests clause) { includes_.push_back(std::move(clause)); }
    void exclude(Tests clause) { excludes_.push_back(std::move(clause)); }
    void include_all() { include_all_ = true; }
    void exclude_all() { exclude_all_ = true; }
    void require_standard() { require_standard_ = true; }
    void require_specific() { require_specific_ = true; }

    /// To be called once, when all rules are in.
    void finish();
    bool selected() const { return !exclude_all_ && (include_all_ || !includes_.empty()); }
    bool included() const { return include_all_ || !includes_.empty(); }
    bool excludes() const { return exclude_all_ || !excludes_.empty(); }
    KernelFilter kernel() const;
    bool matches(const Event& event) const;

  private:
    bool include_all_ = false;
    bool exclude_all_ = false;
    bool require_standard_ = false;
    bool require_specific_ = false;
    std::vector<Tests> includes_;
    std::vector<Tests> excludes_;
    ClauseTable include_table_;
    ClauseTable exclude_table_;
};

} // namespace telemetry::rules
