// SPDX-License-Identifier: MIT
// How a spool's files are laid out: docs/delivery.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace telemetry {

/// An item of a batch as it lies in a segment of a spool.
struct SpoolRecord {
    uint64_t number = 0; ///< counted over the whole spool: what is damaged leaves a gap
    bool is_vital = false;
    bool is_event = true;
    std::string_view payload;

    static constexpr size_t header_bytes = 28;
    static constexpr size_t longest = 16 << 20;
};

void put_spool_record(std::string& out, const SpoolRecord& record);

/// Finds the whole records in the bytes of a segment, whatever else is there. The work grows with the number
/// of bytes, however they were made.
class SpoolReader {
  public:
    /// `bytes` have to live as long as what next() returns.
    explicit SpoolReader(std::string_view bytes) : bytes_(bytes) {}

    std::optional<SpoolRecord> next();
    /// Up to where next() has looked: the end of the last record, or of what is none.
    size_t position() const { return position_; }
    /// Bytes that are part of no record.
    size_t damaged() const { return damaged_; }

  private:
    std::optional<SpoolRecord> record_at(size_t position, size_t& end) const;

    std::string_view bytes_;
    size_t position_ = 0;
    size_t damaged_ = 0;
};

} // namespace telemetry
