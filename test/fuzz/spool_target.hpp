// SPDX-License-Identifier: MIT
// What must hold for any bytes as a segment of a spool; run by the fuzzer, and by the unit tests over the
// corpus.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/spool/record.hpp"

namespace spool_test {

[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Returns how many records there are.
inline size_t fuzz_spool(std::string_view bytes) {
    using telemetry::SpoolReader;
    using telemetry::SpoolRecord;
    SpoolReader reader(bytes);
    std::vector<SpoolRecord> records;
    std::string whole;
    size_t position = 0, used = 0;
    while (const auto record = reader.next()) {
        if (reader.position() <= position || reader.position() > bytes.size())
            broken("it does not move on");
        position = reader.position();
        if (record->payload.data() < bytes.data() || record->payload.end() > bytes.end())
            broken("a record outside of the bytes");
        used += SpoolRecord::header_bytes + record->payload.size();
        records.push_back(*record);
        telemetry::put_spool_record(whole, *record);
    }
    if (reader.position() != bytes.size() || used + reader.damaged() != bytes.size())
        broken("bytes that are neither records nor damaged");
    SpoolReader again(whole);
    for (const SpoolRecord& record : records) {
        const auto found = again.next();
        if (!found || found->number != record.number || found->payload != record.payload ||
            found->is_vital != record.is_vital || found->is_event != record.is_event)
            broken("a record that changes when it is written again");
    }
    if (again.next() || again.damaged() > 0)
        broken("more than was written");
    return records.size();
}

} // namespace spool_test
