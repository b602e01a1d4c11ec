// SPDX-License-Identifier: MIT
#include "telemetry/sink/syslog_message.hpp"

namespace telemetry {

namespace {

constexpr size_t part_prefix = 64; // at least as long as "part=N/M line=L " gets
constexpr size_t least_payload = 64;

/// Where a part of at most `room` bytes ends, without cutting a UTF-8 character.
size_t end_of_part(std::string_view rest, size_t room) {
    if (rest.size() <= room)
        return rest.size();
    size_t end = room;
    while (end > room - 3 && (static_cast<uint8_t>(rest[end]) & 0xc0) == 0x80)
        --end;
    return end;
}

} // namespace

void put_rfc3164_time(LineBuffer& out, time_t seconds) {
    static constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    tm local = {};
    localtime_r(&seconds, &local);
    out.put(months[static_cast<size_t>(local.tm_mon)]);
    out.put(local.tm_mday < 10 ? std::string_view("  ") : " ");
    out.put_decimal(static_cast<uint64_t>(local.tm_mday));
    char before = ' ';
    for (const int value : {local.tm_hour, local.tm_min, local.tm_sec}) {
        out.put(before);
        out.put(static_cast<char>('0' + value / 10));
        out.put(static_cast<char>('0' + value % 10));
        before = ':';
    }
}

bool SyslogParts::for_each(std::string_view line, size_t header, size_t most,
                           const std::function<bool(std::string_view)>& take) {
    if (header + line.size() <= most)
        return take(line);
    const size_t overhead = header + part_prefix;
    const size_t room = most > overhead + least_payload ? most - overhead : least_payload;
    uint64_t parts = 0;
    for (std::string_view rest = line; !rest.empty(); ++parts)
        rest.remove_prefix(end_of_part(rest, room));
    ++long_lines_;
    LineBuffer text;
    for (uint64_t part = 1; part <= parts; ++part) {
        const size_t end = end_of_part(line, room);
        text.clear();
        text.put("part=");
        text.put_decimal(part);
        text.put('/');
        text.put_decimal(parts);
        text.put(" line=");
        text.put_decimal(long_lines_);
        text.put(' ');
        text.put(line.substr(0, end));
        if (!take(text.view()))
            return false;
        line.remove_prefix(end);
    }
    return true;
}

} // namespace telemetry
