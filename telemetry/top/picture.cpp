// SPDX-License-Identifier: MIT
#include "telemetry/top/picture.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace telemetry::top {

namespace {

constexpr unsigned first_row = 4, number = 10;

constexpr std::string_view help[] = {
    "Tab, 1 to 6  the table: processes, executables, users, containers, calls, rules",
    "e b x n      in order of events, bytes, failures or names",
    "a            counts since the start, or a second in the last interval",
    "/            show what has these letters alone; Enter keeps them, Escape forgets them",
    "t            processes as a tree",
    "f, Enter     follow the chosen process: it and its descendants alone; again: all",
    "p, Space     pause: what happens meanwhile is counted and comes later",
    "arrows, Page, Home, End   choose a row",
    "q, Ctrl-C    end",
    "",
    "> before a row: it may have had more events, which were counted with others'.",
};

struct Column {
    std::string_view title;
    ActivityOrder order;
};

double shown_of(uint64_t count, const Model& model) {
    const double seconds = model.seconds();
    return model.is_whole() ? static_cast<double>(count)
           : seconds > 0    ? static_cast<double>(count) / seconds
                            : 0;
}

void draw_head(Screen& screen, const Model& model, const std::string& title) {
    screen.put(0, 0, screen.columns(), title, Look::head);
    char text[160];
    const double seconds = model.seconds();
    const auto a_second = [&](uint64_t count) {
        return seconds > 0 ? static_cast<double>(count) / seconds : 0;
    };
    snprintf(text, sizeof(text), "%llu events, %.1f a second, %.1f KB a second; failed %llu%s",
             static_cast<unsigned long long>(model.all_ever().events), a_second(model.all().events),
             a_second(model.all().bytes) / 1000, static_cast<unsigned long long>(model.all().failed),
             model.is_paused() ? "; PAUSED" : "");
    screen.put(1, 0, screen.columns(), text, model.is_paused() ? Look::warning : Look::plain);
    if (model.lost() > 0) {
        snprintf(text, sizeof(text), "%llu lost", static_cast<unsigned long long>(model.lost()));
        screen.put(1, std::min(screen.columns(), 76U), screen.columns(), text, Look::warning);
    }
    std::string state;
    if (model.is_editing() || !model.filter().empty())
        state += "/" + model.filter() + (model.is_editing() ? "_  " : "  ");
    if (!model.followed().empty())
        state += "following " + model.followed();
    screen.put(2, 0, screen.columns(), state, Look::warning);
}

void draw_titles(Screen& screen, const Model& model) {
    const std::string_view unit = model.is_whole() ? "" : "/s";
    constexpr Column columns[] = {{"EVENTS", ActivityOrder::events},
                                  {"BYTES", ActivityOrder::bytes},
                                  {"FAILED", ActivityOrder::failed}};
    screen.fill(first_row - 1, Look::selected);
    unsigned at = 1;
    for (const Column& column : columns) {
        const std::string text =
            (column.order == model.order() ? "*" : "") + std::string(column.title) + std::string(unit);
        screen.put(first_row - 1, at + number - static_cast<unsigned>(text.size()), number, text,
                   Look::selected);
        at += number + 1;
    }
    std::string name(head_of(model.table()));
    if (model.order() == ActivityOrder::name)
        name.insert(0, "*");
    if (model.table() == ActivityTable::processes) {
        screen.put(first_row - 1, at + 1, 8, "    PID", Look::selected);
        screen.put(first_row - 1, at + 10, 10, "USER", Look::selected);
        screen.put(first_row - 1, at + 21, 13, "LAST CALL", Look::selected);
        at += 34;
    }
    screen.put(first_row - 1, at + 1, screen.columns(), name, Look::selected);
}

void draw_process(Screen& screen, unsigned row, unsigned& at, const ShownRow& shown, Look look) {
    const ProcessLabel& process = *shown.row.process;
    const std::string pid = std::to_string(process.pid);
    screen.put(row, at + 8 - static_cast<unsigned>(std::min<size_t>(pid.size(), 8)), 8, pid, look);
    screen.put(row, at + 10, 10, process.user.text(), look);
    screen.put(row, at + 21, 13, process.last, look);
    at += 34;
    if (!process.container.text().empty()) {
        screen.put(row, at + 1, 12, process.container.text().substr(0, 12), Look::dim);
        at += 13;
    }
    at += 2 * std::min(shown.depth, 20U);
}

void draw_row(Screen& screen, const Model& model, unsigned row, const ShownRow& shown, Look look) {
    if (look == Look::selected)
        screen.fill(row, look);
    const unsigned decimals = model.is_whole() ? 0 : 1;
    if (shown.row.is_at_least)
        screen.put(row, 0, 1, ">", look);
    unsigned at = 1;
    const Counts& counts = shown.row.counts;
    for (const uint64_t count : {counts.events, counts.bytes, counts.failed}) {
        const bool is_failure = at > 2 * number && count > 0 && look == Look::plain;
        if (at <= 2 * number || count > 0)
            screen.put_number(row, at, number, shown_of(count, model), decimals,
                              is_failure ? Look::warning : look);
        at += number + 1;
    }
    if (shown.row.process)
        draw_process(screen, row, at, shown, look);
    screen.put(row, at + 1, screen.columns(), shown.row.name, look);
}

void draw_help(Screen& screen) {
    unsigned row = first_row;
    for (const std::string_view line : help)
        screen.put(row++, 2, screen.columns(), line);
}

} // namespace

void draw(Screen& screen, Model& model, const std::string& title, const std::string& note) {
    screen.clear();
    draw_head(screen, model, title);
    const unsigned last = screen.rows() - 1;
    if (model.is_help()) {
        draw_help(screen);
    } else {
        draw_titles(screen, model);
        const std::vector<ShownRow>& rows = model.rows();
        const size_t room = last > first_row ? last - first_row : 0;
        const size_t begin = room > 0 && model.selected() >= room ? model.selected() - room + 1 : 0;
        for (size_t i = begin; i < rows.size() && i < begin + room; ++i)
            draw_row(screen, model, first_row + static_cast<unsigned>(i - begin), rows[i],
                     i == model.selected() ? Look::selected : Look::plain);
        if (rows.empty())
            screen.put(first_row, 1, screen.columns(), "(nothing)", Look::dim);
    }
    constexpr std::string_view keys =
        "q end  ? help  Tab table  e b x n order  / filter  t tree  f follow  p pause  a since start";
    screen.put(last, 0, screen.columns(), note.empty() ? keys : std::string_view(note),
               note.empty() ? Look::dim : Look::warning);
    screen.show();
}

} // namespace telemetry::top
