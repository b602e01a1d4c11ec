// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "test/bench/report/report.hpp"
#include "test/bench/settings.hpp"

namespace bench {

/// A chapter of the report.
struct Part {
    const char* name; ///< as --only has it
    void (*run)(const Settings&, Report&);
};
const std::vector<Part>& parts();

void measure_cost(const Settings& settings, Report& report);
void measure_throughput(const Settings& settings, Report& report);
void measure_user_side(const Settings& settings, Report& report);
void measure_rings(const Settings& settings, Report& report);
void measure_growth(const Settings& settings, Report& report);
void measure_real_work(const Settings& settings, Report& report);

/// The machine and what else runs on it.
void describe_machine(const Settings& settings, Report& report);

} // namespace bench
