// SPDX-License-Identifier: MIT
#include "telemetry/delivery/syslog/message.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include "telemetry/delivery/line_fields.hpp"

namespace telemetry {

namespace {

constexpr uint64_t second_ns = 1'000'000'000;
constexpr unsigned severity_info = 6;

uint64_t time_ns(std::string_view line) {
    using namespace std::chrono;
    if (const uint64_t time = time_of(line))
        return time;
    return static_cast<uint64_t>(duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
}

/// "2026-11-27T22:15:18.000123Z": six digits are the most that RFC 5424 allows.
void put_rfc5424_time(LineBuffer& out, uint64_t time) {
    const auto seconds = static_cast<time_t>(time / second_ns);
    tm utc = {};
    gmtime_r(&seconds, &utc);
    char text[64];
    const int size = std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                                   utc.tm_sec, static_cast<unsigned>(time % second_ns / 1000));
    out.put(std::string_view(text, static_cast<size_t>(size)));
}

/// A name of printable ASCII without blanks, "-" for none.
std::string header_name(std::string_view name) {
    constexpr size_t longest = 255;
    std::string fine;
    for (const char c : name.substr(0, longest))
        fine += c > ' ' && c < '\x7f' ? c : '_';
    return fine.empty() ? "-" : fine;
}

} // namespace

SyslogWriter::SyslogWriter(SyslogForm form)
    : form_(std::move(form)), priority_("<" + std::to_string(form_.facility * 8 + severity_info) + ">"),
      sender_(header_name(form_.host)) {}

void SyslogWriter::put_header(std::string_view line) {
    const uint64_t time = time_ns(line);
    header_.clear();
    header_.put(priority_);
    if (form_.kind == SyslogForm::Kind::rfc5424) {
        header_.put("1 ");
        put_rfc5424_time(header_, time);
    } else {
        put_rfc3164_time(header_, static_cast<time_t>(time / second_ns));
    }
    header_.put(' ');
    if (form_.kind != SyslogForm::Kind::local) {
        header_.put(sender_);
        header_.put(' ');
    }
    header_.put(syslog_identity);
    header_.put(form_.kind == SyslogForm::Kind::rfc5424 ? " " : "[");
    header_.put_decimal(static_cast<uint64_t>(getpid()));
    header_.put(form_.kind == SyslogForm::Kind::rfc5424 ? " - - " : "]: ");
}

void SyslogWriter::write(std::string_view event, const std::function<bool(std::string_view)>& take) {
    const auto take_part = [&](std::string_view part) {
        message_.assign(header_.view()).append(part);
        return take(message_);
    };
    while (!event.empty()) {
        const size_t end = std::min(event.find('\n'), event.size());
        const std::string_view line = event.substr(0, end);
        event.remove_prefix(std::min(end + 1, event.size()));
        put_header(line);
        if (!line.empty() && !parts_.for_each(line, header_.view().size(), form_.message_bytes, take_part))
            return;
    }
}

} // namespace telemetry
