// SPDX-License-Identifier: MIT
#include "telemetry/top/show.hpp"

#include "telemetry/top/picture.hpp"

namespace telemetry::top {

using namespace std::chrono_literals;

bool show(Screen& screen, Feed& feed, const ShowOptions& options, const std::atomic<bool>& is_over) {
    constexpr auto look = 100ms; // for an end, and another size of the terminal
    const auto every = options.is_recorded ? 500ms : 2000ms;
    constexpr auto first = 300ms;
    Model model(options.is_recorded, options.rules_file);
    std::string note;
    auto next = Feed::Clock::now() + first;
    draw(screen, model, options.title, note);
    while (!is_over) {
        const unsigned rows = screen.rows(), columns = screen.columns();
        const int key = screen.key(look);
        if (key != 0 && !model.press(key))
            return true;
        bool is_new = key != 0 || rows != screen.rows() || columns != screen.columns();
        if (key != 0)
            note.clear();
        for (std::string& line : feed.take_notes()) {
            note = std::move(line);
            is_new = true;
        }
        if (auto interval = model.is_paused() ? nullptr : feed.take()) {
            feed.give_back(model.add(std::move(interval)));
            is_new = true;
        }
        if (const auto now = Feed::Clock::now(); now >= next && !model.is_paused()) {
            next = now + every;
            feed.ask();
        }
        if (is_new)
            draw(screen, model, options.title, note);
    }
    return false;
}

} // namespace telemetry::top
