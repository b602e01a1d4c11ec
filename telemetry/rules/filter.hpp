// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/rules/match.hpp"

namespace telemetry::rules {

/// The kernel's part of a filter, as a Selection takes it.
struct KernelFilter {
    std::vector<ebt_predicate> predicates;
    bool include_all = false;
    bool exact = false; ///< lets through only what the whole filter does
};

/// ORed clauses, laid out to be evaluated without a detour: those with the same numeric part
/// share it, and those that are but one comparison of text become sets.
class ClauseTable {
  public:
    ClauseTable() = default;
    explicit ClauseTable(const std::vector<Tests>& clauses);
    /// Is a clause true? A text that could not be read compares as `when_unknown`.
    bool any(const Event& event, bool when_unknown) const;

  private:
    /// The clauses with these numbers: they hold, and so do the texts of one of them.
    struct Group {
        std::vector<NumberTest> numbers;
        bool without_text = false; ///< a clause has no more than the numbers
        std::vector<TextSet> sets;
        std::vector<std::vector<TextTest>> others;

        void add(const std::vector<const Tests*>& clauses);
        bool holds(const Event& event, bool when_unknown) const;
    };

    std::vector<Group> groups_;
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
