// SPDX-License-Identifier: MIT
#include "telemetry/spool/dump.hpp"

#include "telemetry/spool/folder.hpp"
#include "telemetry/spool/record.hpp"

namespace telemetry {

std::string dump_spool(const std::string& path, std::ostream& out) {
    const SpoolFolder folder = SpoolFolder::look_into(path);
    const uint64_t acknowledged = folder.acknowledged();
    uint64_t records = 0, damaged = 0, delivered = 0, unreadable = 0;
    const std::vector<uint64_t> segments = folder.segments();
    for (const uint64_t segment : segments) {
        const std::optional<std::string> bytes = folder.read(segment);
        if (!bytes) {
            ++unreadable;
            continue;
        }
        SpoolReader reader(*bytes);
        while (const auto record = reader.next()) {
            if (record->number <= acknowledged) {
                ++delivered;
                continue;
            }
            ++records;
            out << record->payload;
        }
        damaged += reader.damaged();
    }
    return std::to_string(records) + " records to be delivered in " + std::to_string(segments.size()) +
           " segments, " + std::to_string(delivered) + " delivered, " + std::to_string(damaged) +
           " bytes damaged" +
           (unreadable ? ", " + std::to_string(unreadable) + " segments cannot be read" : "");
}

} // namespace telemetry
