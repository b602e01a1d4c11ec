// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ebpf_loader/abi/record.h>

namespace telemetry {

/// What can be wrong with a record. Those up to `kind` make it unreadable: it is
/// refused. With the others there is an event, which says that it lost fields.
enum class Defect : uint8_t {
    size,          ///< shorter than a header, than it says itself, or an impossible size
    version,       ///< not of this format
    kind,          ///< unknown kind of record or ABI
    field_bounds,  ///< a field reaches beyond the record
    field_count,   ///< more or fewer fields than the header says
    field_kind,    ///< unknown kind of field
    field_status,  ///< unknown status
    field_arg,     ///< about an argument that no call has
    field_payload, ///< too short for what it must hold
    repeated,      ///< a field that was there already
    excess,        ///< more paths or strings than an Event holds
};
constexpr size_t defect_count = 11;
constexpr bool refuses(Defect defect) {
    return defect <= Defect::kind;
}
std::string_view defect_name(Defect defect);

/// One field: its head, and its bytes inside the record.
struct RawField {
    ebt_field head{}; ///< kind 0: no field
    std::string_view bytes;

    bool is_there() const { return head.kind != 0; }
    bool is_known() const { return head.status == EBT_OK || head.status == EBT_TRUNCATED; }
};

/// Reads the header; the defect if the record must be refused.
/// On success header.size bytes of `record` are there.
std::optional<Defect> read_header(std::span<const std::byte> record, ebt_header& header) noexcept;

/// Walks the fields of a record, never outside of it.
class FieldWalker {
  public:
    /// `fields`: what follows the header, header.size bytes in all.
    FieldWalker(std::span<const std::byte> fields, uint16_t expected) noexcept
        : rest_(fields), expected_(expected) {}

    /// The next field; false at the end, be it the proper one or a defect.
    bool next(RawField& field) noexcept;
    /// After the end: why it came too early.
    std::optional<Defect> defect() const noexcept { return defect_; }

  private:
    std::span<const std::byte> rest_;
    uint16_t expected_;
    std::optional<Defect> defect_;
};

} // namespace telemetry
