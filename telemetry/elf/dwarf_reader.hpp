// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace telemetry {

/// How tables encode a pointer: DW_EH_PE_*, the form in the low four bits.
struct PointerEncoding {
    static constexpr uint8_t absolute = 0x00, uleb128 = 0x01, udata2 = 0x02, udata4 = 0x03, udata8 = 0x04,
                             sleb128 = 0x09, sdata2 = 0x0a, sdata4 = 0x0b, sdata8 = 0x0c;
    static constexpr uint8_t relative_to_field = 0x10, relative_to_table = 0x30, omitted = 0xff;
};

/// Reads one value of a table after the other; past the end it returns zeroes, and failed() is true.
class DwarfReader {
  public:
    /// `address`: of the bytes, as the file has it. `address_size`: 4 or 8.
    DwarfReader(std::string_view bytes, uint64_t address, size_t address_size)
        : bytes_(bytes), address_(address), address_size_(address_size) {}

    bool failed() const { return failed_; }
    bool at_end() const { return failed_ || at_ >= bytes_.size(); }
    uint64_t address() const { return address_ + at_; }
    size_t position() const { return at_; }
    std::string_view rest() const { return bytes_.substr(at_); }

    template <class Number> Number number() {
        Number value{};
        if (bytes_.size() - at_ < sizeof(value)) {
            fail();
            return value;
        }
        memcpy(&value, bytes_.data() + at_, sizeof(value));
        at_ += sizeof(value);
        return value;
    }
    uint64_t uleb128();
    int64_t sleb128();
    /// `table`: what relative_to_table is relative to.
    uint64_t pointer(uint8_t encoding, uint64_t table = 0);
    void skip(uint64_t count);
    /// Up to the next NUL, which is skipped.
    std::string_view text();

  private:
    void fail() {
        failed_ = true;
        at_ = bytes_.size();
    }
    uint64_t wrapped(uint64_t value) const {
        return address_size_ == 4 ? static_cast<uint32_t>(value) : value;
    }
    uint64_t plain_pointer(uint8_t form);

    std::string_view bytes_;
    uint64_t address_;
    size_t address_size_;
    size_t at_ = 0;
    bool failed_ = false;
};

} // namespace telemetry
