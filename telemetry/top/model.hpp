// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "telemetry/activity/rows.hpp"
#include "telemetry/top/feed.hpp"

namespace telemetry::top {

/// A line of the table that is shown.
struct ShownRow {
    ActivityRow row;
    unsigned depth = 0; ///< in the tree of processes
};

/// What there is to show, and what the keys have chosen of it. It knows nothing of terminals.
class Model {
  public:
    /// What one takes besides an interval that is to be used again: two sets of tables, the parents (of which
    /// each has a node and its place in the index), and the rows of a table, which are made from others of
    /// their size.
    static constexpr size_t most_parents = 65536;
    static constexpr size_t most_bytes =
        2 * Activity::most_bytes + most_parents * 56 +
        2 * Activity::processes_room * (sizeof(ShownRow) * 2 + TextLabel::most_heap_bytes);

    /// Recorded events are shown with their whole time, others with the last interval at first.
    Model(bool is_recorded, std::string rules_file)
        : rules_file_(std::move(rules_file)), is_recorded_(is_recorded), is_whole_(is_recorded) {}

    /// Another interval; returns it to be used again.
    std::unique_ptr<Interval> add(std::unique_ptr<Interval> interval);

    /// A character, or one of the keys below. False: it was the one that ends.
    enum Key : int {
        up = -1,
        down = -2,
        page_up = -3,
        page_down = -4,
        home = -5,
        end = -6,
        enter = -7,
        escape = -8,
        backspace = -9
    };
    bool press(int key);

    /// Those that fit the filter, in order, at most as many as a table has.
    const std::vector<ShownRow>& rows();
    const Counts& all() const { return shown().all(); }
    uint64_t lost() const { return total_.lost(); }
    const Counts& all_ever() const { return total_.all(); }
    /// What counts are divided by.
    double seconds() const;

    ActivityTable table() const { return table_; }
    ActivityOrder order() const { return order_; }
    size_t selected() const { return selected_; }
    const std::string& filter() const { return filter_; }
    bool is_editing() const { return is_editing_; }
    bool is_paused() const { return is_paused_; }
    bool is_whole() const { return is_whole_; } ///< counts since the start, not of the last interval
    bool is_recorded() const { return is_recorded_; }
    bool is_tree() const { return is_tree_; }
    bool is_help() const { return is_help_; }
    /// The process whose tree is followed; empty: all are shown.
    const std::string& followed() const { return followed_name_; }

  private:
    const Activity& shown() const { return is_whole_ ? total_ : recent_->activity; }
    bool take(int key);
    bool edit(int key);
    void move(int key);
    void choose(ActivityTable table);
    void follow();
    bool fits(const ActivityRow& row) const;
    bool is_followed(const ProcessLabel& process) const;
    void make_rows();
    void make_tree(std::vector<ActivityRow> rows);
    void note_parents(const Activity& activity);

    const std::string rules_file_;
    const bool is_recorded_;
    bool is_whole_, is_paused_ = false, is_tree_ = false, is_editing_ = false, is_help_ = false;
    Activity total_;
    std::unique_ptr<Interval> recent_ = std::make_unique<Interval>();
    double seconds_ = 0; ///< of all intervals
    int64_t first_time_ = 0, last_time_ = 0;
    std::unordered_map<uint64_t, uint64_t> parents_; ///< by place
    ActivityTable table_ = ActivityTable::processes;
    ActivityOrder order_ = ActivityOrder::events;
    std::string filter_, followed_name_;
    uint64_t followed_ = 0;
    size_t selected_ = 0;
    bool is_stale_ = true;
    std::vector<ShownRow> rows_;
};

} // namespace telemetry::top
