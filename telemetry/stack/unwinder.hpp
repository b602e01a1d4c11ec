// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/stack/call_stack.hpp"

namespace telemetry {

/// Goes from function to caller, over a copy of the stack. libdw could do so too, but it maps the files
/// that it reads: whoever truncates its own executable would end the tracker by SIGBUS.
class Unwinder {
  public:
    explicit Unwinder(const UserStack& stack);

    /// Where the function goes on.
    uint64_t address() const { return ip_; }
    /// An address inside the instruction that made the call, or was interrupted.
    uint64_t code_address() const { return is_behind_call_ && ip_ ? ip_ - 1 : ip_; }
    bool is_32_bits() const { return is_32_bits_; }

    /// By the unwind table of the file that the code is in.
    StackEnd step(const UnwindRules& rules);
    /// False if the rules find the frame by the stack pointer and its value is not known, as it is on arm64
    /// after step_by_frame_pointer().
    bool knows_frame_of(const UnwindRules& rules) const;
    /// By the frame pointer, where there is no table.
    StackEnd step_by_frame_pointer();

  private:
    using Registers = std::array<std::optional<uint64_t>, unwind_registers>;

    std::optional<uint64_t> word(uint64_t address) const;
    std::optional<uint64_t> value_of(const UnwindRules::Rule& rule, size_t number, uint64_t frame) const;
    StackEnd go_to(const Registers& registers, std::optional<uint64_t> ip, uint64_t sp);

    std::string_view memory_;
    uint64_t begin_; ///< address of `memory_`
    bool is_32_bits_;
    Registers registers_;
    uint64_t ip_, sp_;
    bool is_behind_call_ = false;
    bool is_innermost_ = true;
};

} // namespace telemetry
