// SPDX-License-Identifier: MIT
#include "telemetry/elf/dwarf_reader.hpp"

namespace telemetry {

uint64_t DwarfReader::uleb128() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const auto byte = number<uint8_t>();
        if (failed_ || shift > 63) {
            fail();
            return 0;
        }
        value |= uint64_t{byte & 0x7fu} << shift;
        if (!(byte & 0x80))
            return value;
    }
}

int64_t DwarfReader::sleb128() {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        const auto byte = number<uint8_t>();
        if (failed_ || shift > 63) {
            fail();
            return 0;
        }
        value |= uint64_t{byte & 0x7fu} << shift;
        shift += 7;
        if (byte & 0x80)
            continue;
        if ((byte & 0x40) && shift < 64)
            value |= ~uint64_t{0} << shift;
        return static_cast<int64_t>(value);
    }
}

uint64_t DwarfReader::plain_pointer(uint8_t form) {
    switch (form) {
    case PointerEncoding::absolute:
        return address_size_ == 4 ? number<uint32_t>() : number<uint64_t>();
    case PointerEncoding::uleb128:
        return uleb128();
    case PointerEncoding::udata2:
        return number<uint16_t>();
    case PointerEncoding::udata4:
        return number<uint32_t>();
    case PointerEncoding::udata8:
    case PointerEncoding::sdata8:
        return number<uint64_t>();
    case PointerEncoding::sleb128:
        return static_cast<uint64_t>(sleb128());
    case PointerEncoding::sdata2:
        return static_cast<uint64_t>(int64_t{number<int16_t>()});
    case PointerEncoding::sdata4:
        return static_cast<uint64_t>(int64_t{number<int32_t>()});
    }
    fail();
    return 0;
}

uint64_t DwarfReader::pointer(uint8_t encoding, uint64_t table) {
    const uint64_t field = address();
    const uint64_t value = plain_pointer(encoding & 0x0f);
    switch (encoding & 0x70) {
    case 0:
        return value;
    case PointerEncoding::relative_to_field:
        return wrapped(value + field);
    case PointerEncoding::relative_to_table:
        return wrapped(value + table);
    }
    fail();
    return 0;
}

void DwarfReader::skip(uint64_t count) {
    if (count > bytes_.size() - at_)
        fail();
    else
        at_ += count;
}

std::string_view DwarfReader::text() {
    const size_t end = bytes_.find('\0', at_);
    if (end == bytes_.npos) {
        fail();
        return {};
    }
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
}

} // namespace telemetry
