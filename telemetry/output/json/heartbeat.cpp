// SPDX-License-Identifier: MIT
#include "telemetry/output/json/heartbeat.hpp"

namespace telemetry {

void put_json_balance(JsonLine& line, const Heartbeat& heartbeat) {
    const auto put = [&](std::string_view before, uint64_t value) {
        line.put(before);
        line.put_decimal(value);
    };
    put(R"(,"balance":{"seen":)", heartbeat.seen);
    put(R"(,"filtered":{"kernel":)", heartbeat.filtered_in_kernel);
    put(R"(,"rules":)", heartbeat.filtered_by_rules);
    put(R"(},"emitted":)", heartbeat.emitted);
    put(R"(,"lost":)", heartbeat.lost);
    put(R"(,"in_flight":)", heartbeat.in_flight);
    line.put('}');
}

} // namespace telemetry
