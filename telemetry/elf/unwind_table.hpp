// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "telemetry/elf/elf.hpp"

namespace telemetry {

/// Registers as unwind tables number them, those of vectors left out.
#if defined(__aarch64__)
inline constexpr size_t unwind_registers = 32;
#else
inline constexpr size_t unwind_registers = 17; // more than 32-bit programs have
#endif

/// How to get from an address in a function to its caller: what the caller's registers were.
struct UnwindRules {
    enum class How : uint8_t {
        same,      ///< not touched
        undefined, ///< lost; of the return address: there is no caller
        at,        ///< in memory, at the frame's address + offset
        at_own,    ///< in memory, at the register `base` + offset
        is,        ///< the frame's address + offset
        in,        ///< in the register `offset`
        unknown,   ///< described in a way that is not understood here
    };
    struct Rule {
        How how = How::same;
        int64_t offset = 0;
        uint64_t base = unwind_registers;
    };
    uint64_t frame_register = unwind_registers; ///< + frame_offset: the frame's address
    int64_t frame_offset = 0;
    bool frame_is_stored = false; ///< or rather, it is what stands there
    std::array<Rule, unwind_registers> rules;
    uint64_t return_register = unwind_registers;
    bool is_signal_frame = false; ///< its caller was interrupted, and is not behind a call
};

/// From .eh_frame, through its index .eh_frame_hdr; absent where that has no rules that can be used. It is
/// read here, and not by libdw, for the reason that unwinder.hpp gives.
std::optional<UnwindRules> find_unwind_rules(const ElfFile& file, uint64_t address);

} // namespace telemetry
