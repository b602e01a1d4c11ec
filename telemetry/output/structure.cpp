// SPDX-License-Identifier: MIT
#include "telemetry/output/structure.hpp"

namespace telemetry {

namespace {

using Form = StructureMember::Form;

constexpr uint64_t ns_per_s = 1'000'000'000;
/// Up to which second a clock of nanoseconds in 64 bits goes: in the year 2554.
constexpr int64_t last_second = static_cast<int64_t>(UINT64_MAX / ns_per_s) - 1;

} // namespace

void put_time_of_member(LineBuffer& line, const TimeOfMember& time) {
    if (time.what == TimeOfMember::What::now)
        return line.put("now");
    if (time.what == TimeOfMember::What::omit)
        return line.put("omit");
    if (time.seconds >= 0 && time.seconds <= last_second && time.nanoseconds < ns_per_s) {
        Timestamp text;
        return text.put(line, static_cast<uint64_t>(time.seconds) * ns_per_s + time.nanoseconds);
    }
    line.put_signed(time.seconds);
    line.put('.');
    line.put_decimal(time.nanoseconds);
}

void put_member(LineBuffer& line, const StructureMember& member, std::string_view bytes) {
    if (is_time(member.form))
        return put_time_of_member(line, time_of(member, bytes));
    const uint64_t value = value_of(member, bytes);
    switch (member.form) {
    case Form::number:
        return line.put_decimal(value);
    case Form::octal:
        line.put('0');
        return value ? line.put_octal(value) : void();
    default:
        line.put("0x");
        return line.put_hex(value);
    }
}

} // namespace telemetry
