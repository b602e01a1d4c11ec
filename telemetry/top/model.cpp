// SPDX-License-Identifier: MIT
#include "telemetry/top/model.hpp"

#include <algorithm>

namespace telemetry::top {

namespace {

constexpr size_t page = 10;
constexpr size_t longest_filter = 100;
/// Only forged events have longer lines of descent, or circles.
constexpr int longest_descent = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool has(std::string_view text, std::string_view wanted) {
    const auto is_same = [](char one, char other) { return lower(one) == lower(other); };
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), is_same) != text.end() ||
           wanted.empty();
}

} // namespace

std::unique_ptr<Interval> Model::add(std::unique_ptr<Interval> interval) {
    seconds_ += interval->seconds;
    if (interval->first_time != 0 && (first_time_ == 0 || interval->first_time < first_time_))
        first_time_ = interval->first_time;
    last_time_ = std::max(last_time_, interval->last_time);
    total_.add(interval->activity);
    note_parents(interval->activity);
    recent_.swap(interval);
    is_stale_ = true;
    return interval;
}

double Model::seconds() const {
    constexpr double second = 1e9;
    if (is_recorded_)
        return static_cast<double>(last_time_ - first_time_) / second;
    return is_whole_ ? seconds_ : recent_->seconds;
}

/// Kept from one interval to the next: a process in between may have done nothing.
void Model::note_parents(const Activity& activity) {
    if (parents_.size() + activity.processes().size() * CountedProcess::most_ancestors > most_parents)
        parents_.clear();
    activity.processes().for_each([&](const auto& entry) {
        uint64_t at = entry.label.place;
        for (const uint64_t ancestor : entry.label.ancestors) {
            if (ancestor == 0)
                break;
            parents_[at] = ancestor;
            at = ancestor;
        }
    });
}

bool Model::is_followed(const ProcessLabel& process) const {
    uint64_t at = process.place;
    for (int i = 0; i < longest_descent; ++i) {
        if (at == followed_)
            return true;
        const auto parent = parents_.find(at);
        if (parent == parents_.end())
            return false;
        at = parent->second;
    }
    return false;
}

bool Model::fits(const ActivityRow& row) const {
    if (row.process && followed_ != 0 && !is_followed(*row.process))
        return false;
    if (filter_.empty() || has(row.name, filter_))
        return true;
    return row.process &&
           (has(row.process->user.text(), filter_) || has(row.process->container.text(), filter_) ||
            std::to_string(row.process->pid) == filter_);
}

const std::vector<ShownRow>& Model::rows() {
    if (is_stale_)
        make_rows();
    is_stale_ = false;
    selected_ = std::min(selected_, rows_.empty() ? 0 : rows_.size() - 1);
    return rows_;
}

void Model::make_rows() {
    std::vector<ActivityRow> rows = rows_of(shown(), table_, rules_file_);
    std::erase_if(rows, [&](const ActivityRow& row) { return !fits(row); });
    sort_rows(rows, order_, rows.size());
    rows_.clear();
    if (table_ == ActivityTable::processes && is_tree_)
        return make_tree(std::move(rows));
    for (ActivityRow& row : rows)
        rows_.push_back({std::move(row), 0});
}

/// Children behind their parents, in order among themselves.
void Model::make_tree(std::vector<ActivityRow> rows) {
    std::unordered_map<uint64_t, size_t> at_place;
    for (size_t i = 0; i < rows.size(); ++i)
        at_place.emplace(rows[i].process->place, i);
    std::vector<std::vector<size_t>> children(rows.size() + 1); // the last ones have no parent here
    for (size_t i = 0; i < rows.size(); ++i) {
        size_t parent = rows.size();
        uint64_t at = rows[i].process->place;
        for (int steps = 0; steps < longest_descent && parent == rows.size(); ++steps) {
            const auto above = parents_.find(at);
            if (above == parents_.end())
                break;
            at = above->second;
            if (const auto found = at_place.find(at); found != at_place.end() && found->second != i)
                parent = found->second;
        }
        children[parent].push_back(i);
    }
    std::vector<std::pair<size_t, unsigned>> left; // with depths
    const auto push = [&](const std::vector<size_t>& which, unsigned depth) {
        for (auto one = which.rbegin(); one != which.rend(); ++one)
            left.emplace_back(*one, depth);
    };
    std::vector<bool> is_placed(rows.size());
    const auto place = [&] {
        while (!left.empty()) {
            const auto [i, depth] = left.back();
            left.pop_back();
            if (is_placed[i])
                continue;
            is_placed[i] = true;
            rows_.push_back({std::move(rows[i]), depth});
            push(children[i], depth + 1);
        }
    };
    push(children.back(), 0);
    place();
    for (size_t i = 0; i < rows.size(); ++i) // of circles
        if (!is_placed[i]) {
            left.emplace_back(i, 0);
            place();
        }
}

void Model::choose(ActivityTable table) {
    table_ = table;
    selected_ = 0;
}

void Model::follow() {
    if (followed_ != 0) {
        followed_ = 0;
        followed_name_.clear();
        return;
    }
    if (rows().empty() || !rows_[selected_].row.process)
        return;
    const ProcessLabel& process = *rows_[selected_].row.process;
    followed_ = process.place;
    followed_name_ = std::string(process.name.text()) + "[" + std::to_string(process.pid) + "]";
    is_tree_ = true;
    selected_ = 0;
}

void Model::move(int key) {
    const size_t last = rows().empty() ? 0 : rows_.size() - 1;
    const size_t at = selected_;
    switch (key) {
    case up:
        selected_ = at > 0 ? at - 1 : 0;
        break;
    case down:
        selected_ = std::min(at + 1, last);
        break;
    case page_up:
        selected_ = at > page ? at - page : 0;
        break;
    case page_down:
        selected_ = std::min(at + page, last);
        break;
    case home:
        selected_ = 0;
        break;
    case Key::end:
        selected_ = last;
        break;
    default:
        break;
    }
}

/// Of the filter.
bool Model::edit(int key) {
    if (key == enter || key == escape) {
        is_editing_ = false;
        if (key == escape)
            filter_.clear();
    } else if (key == backspace) {
        if (!filter_.empty())
            filter_.pop_back();
    } else if (key >= ' ' && key < 0x7f && filter_.size() < longest_filter) {
        filter_.push_back(static_cast<char>(key));
    }
    return true;
}

bool Model::press(int key) {
    const bool goes_on = take(key);
    is_stale_ = true;
    return goes_on;
}

bool Model::take(int key) {
    if (is_editing_)
        return edit(key);
    if (is_help_) {
        is_help_ = false;
        return key != 'q';
    }
    switch (key) {
    case 'q':
        return false;
    case 'p':
    case ' ':
        is_paused_ = !is_paused_;
        break;
    case '/':
        is_editing_ = true;
        break;
    case escape:
        filter_.clear();
        if (followed_ != 0)
            follow();
        break;
    case 'e':
        order_ = ActivityOrder::events;
        break;
    case 'b':
        order_ = ActivityOrder::bytes;
        break;
    case 'x':
        order_ = ActivityOrder::failed;
        break;
    case 'n':
        order_ = ActivityOrder::name;
        break;
    case 't':
        is_tree_ = !is_tree_;
        choose(ActivityTable::processes);
        break;
    case 'f':
    case enter:
        follow();
        break;
    case 'a':
        is_whole_ = is_recorded_ || !is_whole_;
        break;
    case '\t':
        choose(static_cast<ActivityTable>((static_cast<size_t>(table_) + 1) % activity_tables));
        break;
    case '?':
    case 'h':
        is_help_ = true;
        break;
    default:
        if (key >= '1' && key < static_cast<int>('1' + activity_tables))
            choose(static_cast<ActivityTable>(key - '1'));
        else
            move(key);
    }
    return true;
}

} // namespace telemetry::top
