// SPDX-License-Identifier: MIT
#pragma once
#include <memory>

#include "telemetry/activity/activity.hpp"
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/process/account_names.hpp"

namespace telemetry {

/// Counts events as they are reported.
class EventCounter {
  public:
    /// `accounts` may be null: users have no names then.
    explicit EventCounter(std::shared_ptr<const AccountFiles> accounts) : names_(std::move(accounts)) {}

    /// `bytes`: of its lines. This is on the hot path.
    void count(const Event& event, const rules::ChosenRule& rule, uint64_t bytes, Activity& activity);

  private:
    std::string_view user_of(const Event& event);

    CurrentNames names_;
    LineBuffer digits_;
};

} // namespace telemetry
