// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/rules/kernel/kernel_filter.hpp"
#include "telemetry/rules/match.hpp"

namespace telemetry::rules {

/// Where a rule stands in its file: from its first line to its last, from 1. Neighbouring rules may share
/// one.
struct RuleLines {
    uint32_t first = 0, last = 0; ///< 0: not known
    std::string_view file;        ///< empty where all rules are of one
};

/// What has selected an event.
struct ChosenRule {
    RuleLines lines;      ///< of the first rule; where there are more than 64 with one key, of some of them
    std::string_view key; ///< of the first rule that has one
};

/// Clauses joined by OR, laid out for fast evaluation: clauses with the same numeric part share
/// it, and clauses that consist of one comparison of text become sets. A copy shares the table.
class ClauseTable {
  public:
    ClauseTable() = default;
    explicit ClauseTable(const std::vector<SharedTests>& clauses);
    /// Is a clause true? A text that could not be read compares as `when_unknown`.
    bool any(const Event& event, bool when_unknown) const;

  private:
    /// Clauses of several texts. Each has one of its tests in `gate`, so that none holds where the gate does
    /// not.
    struct Gated {
        TextSet gate;
        std::vector<std::vector<TextTest>> clauses;
    };
    /// The clauses with the same numeric part. A group holds when `numbers` hold and so do the texts
    /// of one of its clauses.
    struct Group {
        std::vector<NumberTest> numbers;
        bool without_text = false; ///< one of the clauses consists of the numbers alone
        std::vector<TextSet> sets;
        std::vector<Gated> gated;
        std::vector<std::vector<TextTest>> others;

        void add(const std::vector<const Tests*>& clauses);
        bool holds(const Event& event, bool when_unknown) const;
    };

    std::shared_ptr<const std::vector<Group>> groups_; ///< null: no clauses
};

/// Makes tables, and one of those that are asked for with the same clauses: lines for a group give many calls
/// the same.
class ClauseTables {
  public:
    ClauseTable of(const std::vector<SharedTests>& clauses);

  private:
    std::map<std::vector<SharedTests>, ClauseTable> known_;
};

/// All rules for one kind of event, put together. A clause without comparisons is true of every event.
class CallFilter {
  public:
    void include(SharedTests clause) { block(false).add(std::move(clause)); }
    /// Excludes, whatever includes.
    void exclude(SharedTests clause) { excluded_.add(std::move(clause)); }
    /// Excludes what nothing has included so far.
    void exclude_from_here(SharedTests clause);
    /// What a line with a key includes. In the order of the file; the empty key is one too.
    void add_key(std::string_view key, SharedTests clause);
    /// What a rule at that line includes, for chosen(). In the order of the file. `decides`: the event has
    /// the rule's key, be it empty.
    void add_line(const RuleLines& lines, std::string_view key, bool decides, SharedTests clause);
    void require_standard() { require_standard_ = true; }
    void require_specific() { require_specific_ = true; }

    /// Must be called once, after all rules were added.
    void finish(ClauseTables& tables);
    bool selected() const { return !excluded_.every && included(); }
    bool included() const { return !blocks_.empty(); }
    KernelFilter kernel(KnownNeedles& known) const;
    /// The ABIs whose calls may be included: 1 << ebt_abi.
    uint8_t abis() const;
    bool matches(const Event& event) const;
    /// The key of the first line that has one and includes the event; empty if none has. Of an event
    /// that matches.
    std::string_view key(const Event& event) const;
    /// Where the first rule stands that includes the event, which has to match, and what key() says, for the
    /// price of the latter. Nothing unless add_line() told.
    ChosenRule chosen(const Event& event) const;

  private:
    /// Neighbouring clauses that all include, or all exclude.
    struct Block {
        explicit Block(bool excluding = false) : excludes(excluding) {}

        bool excludes;
        bool every = false; ///< one of them is true of every event
        std::vector<SharedTests> clauses;
        ClauseTable table;

        void add(SharedTests clause);
        /// A text that could not be read compares as `when_unknown`.
        bool any(const Event& event, bool when_unknown) const {
            return every || table.any(event, when_unknown);
        }
    };
    /// Neighbouring lines with the same key.
    struct Keyed {
        std::string key;
        std::vector<SharedTests> clauses;
        ClauseTable table;
    };

    struct OfLine {
        uint32_t first = 0, last = 0;
        std::string file, key;
        bool decides = false;
        std::vector<SharedTests> clauses;
        ClauseTable table;
    };

    Block& block(bool excludes);
    void finish_lines(ClauseTables& tables);
    struct Included {
        bool every = false; ///< one of them is true of every event
        std::vector<const Tests*> clauses;
    };
    Included included_clauses() const;

    bool require_standard_ = false;
    bool require_specific_ = false;
    Block excluded_{true};
    std::vector<Block> blocks_; ///< tried in this order; the first of them includes
    std::vector<Keyed> keyed_;
    std::vector<OfLine> lines_;
};

} // namespace telemetry::rules
