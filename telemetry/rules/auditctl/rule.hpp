// SPDX-License-Identifier: MIT
// One rule of auditctl's, and the statements that stand for it.
#pragma once
#include <string>
#include <vector>

#include "telemetry/rules/auditctl/conditions.hpp"

namespace telemetry::rules::auditctl {

enum class List : uint8_t { exit, exclude, task, user, filesystem, io_uring };

struct Rule {
    Span where; ///< the line
    List list = List::exit;
    bool never = false;
    std::vector<Word> calls; ///< of -S
    Conditions conditions;
};

/// What a rule has become. Without statements it selects and excludes nothing.
struct Translation {
    std::vector<Statement> statements;
    std::vector<std::string> declared; ///< what of it is not, or is more than, what auditd would do
};

/// Throws Mistake for a call that does not exist.
Translation translate(const Rule& rule);

} // namespace telemetry::rules::auditctl
