// SPDX-License-Identifier: MIT
#include "telemetry/stack/unwinder.hpp"

#include <cstring>

namespace telemetry {
namespace {

constexpr uint64_t code_of_32_bits = 0x23; ///< the register cs
constexpr size_t sp_of_64 = 7, bp_of_64 = 6, sp_of_32 = 4, bp_of_32 = 5;

} // namespace

Unwinder::Unwinder(const UserStack& stack)
    : memory_(stack.memory), begin_(stack.registers.sp), is_32_bits_(stack.registers.cs == code_of_32_bits),
      ip_(stack.registers.ip), sp_(stack.registers.sp) {
    const ebt_registers& r = stack.registers;
    if (is_32_bits_)
        registers_ = {r.ax, r.cx, r.dx, r.bx, r.sp, r.bp, r.si, r.di, r.ip};
    else
        registers_ = {r.ax, r.dx,  r.cx,  r.bx,  r.si,  r.di,  r.bp,  r.sp, r.r8,
                      r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.ip};
}

/// Of the stack, as far as it was captured.
std::optional<uint64_t> Unwinder::word(uint64_t address) const {
    const size_t size = is_32_bits_ ? 4 : 8;
    const uint64_t offset = address - begin_;
    if (address < begin_ || offset > memory_.size() || memory_.size() - offset < size)
        return std::nullopt;
    uint64_t value = 0;
    memcpy(&value, memory_.data() + offset, size);
    return value;
}

std::optional<uint64_t> Unwinder::value_of(const UnwindRules::Rule& rule, size_t number,
                                           uint64_t frame) const {
    switch (rule.how) {
    case UnwindRules::How::same:
        return registers_[number];
    case UnwindRules::How::at:
        return word(frame + static_cast<uint64_t>(rule.offset));
    case UnwindRules::How::at_own:
        return rule.base < unwind_registers && registers_[rule.base]
                   ? word(*registers_[rule.base] + static_cast<uint64_t>(rule.offset))
                   : std::nullopt;
    case UnwindRules::How::is:
        return frame + static_cast<uint64_t>(rule.offset);
    case UnwindRules::How::in:
        return static_cast<uint64_t>(rule.offset) < unwind_registers
                   ? registers_[static_cast<size_t>(rule.offset)]
                   : std::nullopt;
    case UnwindRules::How::undefined:
    case UnwindRules::How::unknown:
        break;
    }
    return std::nullopt;
}

StackEnd Unwinder::step(const UnwindRules& rules) {
    const uint64_t back = rules.return_register;
    if (back >= unwind_registers)
        return StackEnd::not_known;
    if (rules.rules[back].how == UnwindRules::How::undefined)
        return StackEnd::outermost;
    if (rules.frame_register >= unwind_registers || !registers_[rules.frame_register])
        return StackEnd::not_known;
    uint64_t frame = *registers_[rules.frame_register] + static_cast<uint64_t>(rules.frame_offset);
    if (rules.frame_is_stored) {
        const auto stored = word(frame);
        if (!stored)
            return StackEnd::not_captured;
        frame = *stored;
    }
    Registers before;
    for (size_t number = 0; number < unwind_registers; ++number)
        before[number] = value_of(rules.rules[number], number, frame);
    const bool is_in_memory =
        rules.rules[back].how == UnwindRules::How::at || rules.rules[back].how == UnwindRules::How::at_own;
    if (!before[back])
        return is_in_memory ? StackEnd::not_captured : StackEnd::not_known;
    const StackEnd end = go_to(before, before[back], frame);
    is_behind_call_ = !rules.is_signal_frame;
    return end;
}

/// [bp] is the caller's, and the address to return to stands above it.
StackEnd Unwinder::step_by_frame_pointer() {
    const size_t bp_number = is_32_bits_ ? bp_of_32 : bp_of_64;
    const uint64_t size = is_32_bits_ ? 4 : 8;
    const auto bp = registers_[bp_number];
    if (!bp || *bp < sp_ || *bp % size != 0)
        return bp && *bp == 0 && is_behind_call_ ? StackEnd::outermost : StackEnd::not_known;
    const auto next = word(*bp), ip = word(*bp + size);
    if (!next || !ip) // far above the stack: the register is used for something else
        return *bp - sp_ < EBT_STACK_MAX * 64 ? StackEnd::not_captured : StackEnd::not_known;
    Registers before;
    before[bp_number] = next;
    is_behind_call_ = true;
    return go_to(before, ip, *bp + 2 * size);
}

/// Callers are further up: so it ends.
StackEnd Unwinder::go_to(const Registers& registers, std::optional<uint64_t> ip, uint64_t sp) {
    if (sp <= sp_)
        return StackEnd::not_known;
    if (!*ip)
        return StackEnd::outermost;
    registers_ = registers;
    registers_[is_32_bits_ ? sp_of_32 : sp_of_64] = sp;
    sp_ = sp;
    ip_ = *ip;
    return StackEnd::none;
}

} // namespace telemetry
