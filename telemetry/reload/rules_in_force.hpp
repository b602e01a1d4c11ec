// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/rules/rules.hpp"

namespace telemetry {

/// The rules of a run, which may be replaced: each event is judged by those alone that were in force when it
/// happened, whenever it comes. Times are those of records, in ns.
class RulesInForce {
  public:
    explicit RulesInForce(Rules rules) : current_(std::move(rules)) {}

    const Rules& current() const { return current_; }
    /// Before the first event: what is selected may still be added to.
    Rules& loaded() { return current_; }

    /// From now on the kernel may let through what the rules do not want: all of each event is tested.
    void begin_change() { settled_ = UINT64_MAX; }
    /// Events from `time` on are judged by `next`. All events from before the last change have been judged.
    void change(Rules next, uint64_t time);
    /// From `time` on the kernel lets through what the current rules want, as far as it decides.
    void settle(uint64_t time) { settled_ = time; }

    /// Do the rules want the event, whose record is of that time?
    bool want(const Event& event, uint64_t time) const {
        if (time >= settled_) [[likely]]
            return current_.kernel_decides(event.row) || current_.matches(event);
        return of(time).matches(event);
    }
    /// See Rules::key().
    std::string_view key(const Event& event, uint64_t time) const { return of(time).key(event); }

    /// See Rules::chosen().
    rules::ChosenRule chosen(const Event& event, uint64_t time) const { return of(time).chosen(event); }

  private:
    const Rules& of(uint64_t time) const { return time < since_ ? *previous_ : current_; }

    Rules current_;
    std::optional<Rules> previous_;
    uint64_t since_ = 0;   ///< when the current ones came into force
    uint64_t settled_ = 0; ///< when the kernel's part of them alone did
};

} // namespace telemetry
