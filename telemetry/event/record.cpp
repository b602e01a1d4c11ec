// SPDX-License-Identifier: MIT
#include "telemetry/event/record.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <ebpf_loader/abi/plan.h>

namespace telemetry {

namespace {

constexpr size_t padded(size_t length) {
    return (length + 7) & ~size_t{7};
}

} // namespace

std::string_view defect_name(Defect defect) {
    static constexpr std::array<std::string_view, defect_count> names = {
        "size",         "version",   "kind",          "field_bounds", "field_count", "field_kind",
        "field_status", "field_arg", "field_payload", "repeated",     "excess"};
    auto index = static_cast<size_t>(defect);
    return index < names.size() ? names[index] : "unknown";
}

std::optional<Defect> read_header(std::span<const std::byte> record, ebt_header& header) noexcept {
    if (record.size() < sizeof(header))
        return Defect::size;
    std::memcpy(&header, record.data(), sizeof(header));
    // Version first: with another one, nothing else means what it seems to.
    if (header.version != EBT_RECORD_VERSION)
        return Defect::version;
    if (header.size < sizeof(header) || header.size > record.size() || header.size > EBT_RECORD_MAX ||
        header.size % 8 != 0)
        return Defect::size;
    if (header.kind < EBT_SYSCALL || header.kind > EBT_TRANSFER || header.abi >= EBT_ABIS ||
        EBT_ABI_SLOT(header.abi) >= EBT_ABI_SLOTS)
        return Defect::kind;
    return std::nullopt;
}

bool FieldWalker::next(RawField& field) noexcept {
    if (rest_.empty() || expected_ == 0) {
        if (!rest_.empty() || expected_ != 0)
            defect_ = Defect::field_count;
        return false;
    }
    if (rest_.size() < sizeof(field.head)) {
        defect_ = Defect::field_bounds;
        return false;
    }
    std::memcpy(&field.head, rest_.data(), sizeof(field.head));
    size_t room = rest_.size() - sizeof(field.head);
    size_t length = field.head.length;
    if (length > room) {
        defect_ = Defect::field_bounds;
        return false;
    }
    field.bytes = {reinterpret_cast<const char*>(rest_.data()) + sizeof(field.head), length};
    rest_ = rest_.subspan(sizeof(field.head) + std::min(padded(length), room));
    --expected_;
    return true;
}

} // namespace telemetry
