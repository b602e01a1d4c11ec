// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/rules/match.hpp"

namespace telemetry::rules {

/// The kernel's part of a filter, as a Selection takes it.
struct KernelFilter {
    std::vector<ebt_predicate> predicates;
    bool include_all = false;
    bool exact = false; ///< the kernel lets through only what the whole filter does
};

/// Clauses joined by OR, laid out for fast evaluation: clauses with the same numeric part share
/// it, and clauses that consist of one comparison of text become sets.
class ClauseTable {
  public:
    ClauseTable() = default;
    explicit ClauseTable(const std::vector<Tests>& clauses);
    /// Is a clause true? A text that could not be read compares as `when_unknown`.
    bool any(const Event& event, bool when_unknown) const;

  private:
    /// The clauses with the same numeric part. A group holds when `numbers` hold and so do the texts
    /// of one of its clauses.
    struct Group {
        std::vector<NumberTest> numbers;
        bool without_text = false; ///< one of the clauses consists of the numbers alone
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
    /// What a line with a key includes; without comparisons, all. In the order of the file.
    void add_key(std::string_view key, Tests clause);
    void exclude_all() { exclude_all_ = true; }
    void require_standard() { require_standard_ = true; }
    void require_specific() { require_specific_ = true; }

    /// Must be called once, after all rules were added.
    void finish();
    bool selected() const { return !exclude_all_ && (include_all_ || !includes_.empty()); }
    bool included() const { return include_all_ || !includes_.empty(); }
    bool excludes() const { return exclude_all_ || !excludes_.empty(); }
    KernelFilter kernel() const;
    bool matches(const Event& event) const;
    /// The key of the first line that has one and includes the event; empty if none has. Of an event
    /// that matches.
    std::string_view key(const Event& event) const;

  private:
    /// Neighbouring lines with the same key.
    struct Keyed {
        std::string key;
        std::vector<Tests> clauses;
        ClauseTable table;
    };

    bool include_all_ = false;
    bool exclude_all_ = false;
    bool require_standard_ = false;
    bool require_specific_ = false;
    std::vector<Tests> includes_;
    std::vector<Tests> excludes_;
    std::vector<Keyed> keyed_;
    ClauseTable include_table_;
    ClauseTable exclude_table_;
};

} // namespace telemetry::rules
