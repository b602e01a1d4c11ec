// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "telemetry/top/model.hpp"
#include "telemetry/top/screen.hpp"

namespace telemetry::top {

/// Draws what the model has: a head, the table, and a line of keys. `note` is the last line of the log.
void draw(Screen& screen, Model& model, const std::string& title, const std::string& note);

} // namespace telemetry::top
