// SPDX-License-Identifier: MIT
#include "telemetry/spool/record.hpp"

#include <algorithm>
#include <zlib.h>

namespace telemetry {

namespace {

/// Begins with a byte that no formatted line has.
constexpr std::string_view magic("\x1e"
                                 "EBT");
constexpr uint32_t vital = 1, event = 2;
constexpr size_t length_at = 4, number_at = 8, flags_at = 16, payload_sum_at = 20, header_sum_at = 24;

uint32_t sum_of(std::string_view bytes) {
    return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

template <class Number> void put_number(std::string& out, Number number) {
    for (size_t i = 0; i < sizeof(number); ++i)
        out += static_cast<char>(number >> (8 * i));
}

template <class Number> Number number_of(std::string_view bytes) {
    Number number = 0;
    for (size_t i = 0; i < sizeof(number); ++i)
        number |= static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return number;
}

} // namespace

void put_spool_record(std::string& out, const SpoolRecord& record) {
    const size_t begin = out.size();
    out += magic;
    put_number(out, static_cast<uint32_t>(record.payload.size()));
    put_number(out, record.number);
    put_number(out, (record.is_vital ? vital : 0) | (record.is_event ? event : 0));
    put_number(out, sum_of(record.payload));
    put_number(out, sum_of(std::string_view(out).substr(begin)));
    out += record.payload;
}

/// `end`: behind it, or behind what is damaged of it.
std::optional<SpoolRecord> SpoolReader::record_at(size_t position, size_t& end) const {
    const std::string_view header = bytes_.substr(position, SpoolRecord::header_bytes);
    end = position + 1;
    if (header.size() < SpoolRecord::header_bytes || !header.starts_with(magic) ||
        sum_of(header.substr(0, header_sum_at)) != number_of<uint32_t>(header.substr(header_sum_at)))
        return std::nullopt;
    const auto length = number_of<uint32_t>(header.substr(length_at));
    const auto flags = number_of<uint32_t>(header.substr(flags_at));
    const std::string_view payload = bytes_.substr(position + SpoolRecord::header_bytes, length);
    if (length > SpoolRecord::longest || payload.size() < length)
        return std::nullopt;
    end = position + SpoolRecord::header_bytes + length; // the header is right: its length can be relied on
    if (sum_of(payload) != number_of<uint32_t>(header.substr(payload_sum_at)))
        return std::nullopt;
    return SpoolRecord{number_of<uint64_t>(header.substr(number_at)), (flags & vital) != 0,
                       (flags & event) != 0, payload};
}

std::optional<SpoolRecord> SpoolReader::next() {
    while (position_ < bytes_.size()) {
        const size_t found = std::min(bytes_.find(magic, position_), bytes_.size());
        damaged_ += found - position_;
        position_ = found;
        if (position_ == bytes_.size())
            break;
        size_t end = 0;
        const auto record = record_at(position_, end);
        if (!record)
            damaged_ += end - position_;
        position_ = end;
        if (record)
            return record;
    }
    return std::nullopt;
}

} // namespace telemetry
