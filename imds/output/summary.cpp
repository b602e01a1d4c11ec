// SPDX-License-Identifier: MIT
#include "imds/output/summary.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/output/cold_json.hpp"

namespace telemetry::imds {
namespace {

using Entry = std::pair<const ImdsSummary::Service, ImdsSummary::Row>;

ImdsSummary::Service service_of(const ImdsEvent& event) {
    if (!event.caller)
        return {"?", ""};
    const Event& process = event.caller->process.event();
    const bool has_exe = process.image.exe.known();
    return {std::string(has_exe ? process.image.exe.bytes : process.comm), event.caller->facts.container.id};
}

std::vector<const Entry*> sorted(const std::map<ImdsSummary::Service, ImdsSummary::Row>& rows) {
    std::vector<const Entry*> entries;
    for (const Entry& entry : rows)
        entries.push_back(&entry);
    std::ranges::stable_sort(entries, [](const Entry* a, const Entry* b) {
        const auto weight = [](const ImdsSummary::Row& row) {
            return std::tuple(row.v1, row.credentials, row.v2 + row.other, row.connections);
        };
        return weight(a->second) > weight(b->second);
    });
    return entries;
}

void put_right(LineBuffer& line, uint64_t value, size_t width) {
    const std::string digits = std::to_string(value);
    for (size_t i = digits.size(); i < width; ++i)
        line.put(' ');
    line.put(std::string_view(digits));
}

void put_row(LineBuffer& line, const Entry& entry) {
    const auto& [service, row] = entry;
    put_right(line, row.v1, 8);
    put_right(line, row.v2, 9);
    put_right(line, row.other, 9);
    put_right(line, row.credentials, 13);
    put_right(line, row.connections, 9);
    line.put("  ");
    const std::string container = service.container.empty() ? "-" : service.container.substr(0, 12);
    put_text_escaped(line, container);
    for (size_t i = container.size(); i < 14; ++i)
        line.put(' ');
    if (service.executable.empty())
        line.put("(all others)");
    else
        put_text_escaped(line, service.executable);
    line.put('\n');
}

} // namespace

void ImdsSummary::count(const ImdsEvent& event) {
    if (event.is_late)
        return; // its request was counted before, without the response
    Service service = service_of(event);
    if (rows_.size() >= most_rows && !rows_.contains(service))
        service = {};
    Row& row = rows_[service];
    if (event.kind == ImdsEvent::Kind::connection) {
        ++row.connections;
        return;
    }
    ++(event.version == Version::v1 ? row.v1 : event.version == Version::v2 ? row.v2 : row.other);
    row.credentials += event.request_class == RequestClass::credentials;
}

std::string ImdsSummary::text() const {
    LineBuffer line;
    if (rows_.empty()) {
        line.put("no requests to metadata services\n");
        return std::string(line.view());
    }
    line.put("      v1       v2    other  credentials  unknown  container     executable\n");
    uint64_t with_v1 = 0;
    for (const Entry* entry : sorted(rows_)) {
        put_row(line, *entry);
        with_v1 += entry->second.v1 > 0;
    }
    line.put_decimal(with_v1);
    line.put(with_v1 == 1 ? std::string_view(" service uses") : " services use");
    line.put(" IMDSv1\n");
    return std::string(line.view());
}

std::string ImdsSummary::json() const {
    std::string lines;
    for (const Entry* entry : sorted(rows_)) {
        const auto& [service, row] = *entry;
        lines += json_as_line({{"executable", service.executable},
                               {"container", service.container},
                               {"v1", row.v1},
                               {"v2", row.v2},
                               {"other", row.other},
                               {"credentials", row.credentials},
                               {"connections", row.connections}});
    }
    return lines;
}

} // namespace telemetry::imds
