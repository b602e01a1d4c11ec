// SPDX-License-Identifier: MIT
#include "telemetry/stack/unwinder.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace telemetry {
namespace {

#if defined(__aarch64__)

constexpr uint64_t mode_of_32_bits = 0x10; ///< of pstate
constexpr size_t sp_of_64 = 31, bp_of_64 = 29, sp_of_32 = 13, bp_of_32 = 11;
/// A call leaves the address to return to in a register: a function without a frame has its caller's stack.
constexpr bool may_be_without_frame = true;
/// A function keeps the caller's frame pointer and where it returns to anywhere in its frame.
constexpr bool is_kept_on_top = false;

bool is_32_bits(const ebt_registers& r) {
    return r.pstate & mode_of_32_bits;
}

uint64_t ip_of(const ebt_registers& r) {
    return r.pc;
}

uint64_t sp_of(const ebt_registers& r) {
    return is_32_bits(r) ? r.x[sp_of_32] : r.sp;
}

template <class Registers> Registers registers_of(const ebt_registers& r) {
    Registers all;
    std::copy(std::begin(r.x), std::end(r.x), all.begin());
    if (!is_32_bits(r))
        all[sp_of_64] = r.sp;
    return all;
}

/// Addresses to return to may be signed: the signature is in the bits that no address of code has.
uint64_t without_signature(uint64_t ip) {
    return ip & ((uint64_t{1} << 48) - 1);
}

#else

constexpr uint64_t code_of_32_bits = 0x23; ///< the register cs
constexpr size_t sp_of_64 = 7, bp_of_64 = 6, sp_of_32 = 4, bp_of_32 = 5;
constexpr bool may_be_without_frame = false;
constexpr bool is_kept_on_top = true; ///< the caller's frame pointer and where the function returns to

bool is_32_bits(const ebt_registers& r) {
    return r.cs == code_of_32_bits;
}

uint64_t ip_of(const ebt_registers& r) {
    return r.ip;
}

uint64_t sp_of(const ebt_registers& r) {
    return r.sp;
}

template <class Registers> Registers registers_of(const ebt_registers& r) {
    if (is_32_bits(r))
        return {r.ax, r.cx, r.dx, r.bx, r.sp, r.bp, r.si, r.di, r.ip};
    return {r.ax, r.dx,  r.cx,  r.bx,  r.si,  r.di,  r.bp,  r.sp, r.r8,
            r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.ip};
}

uint64_t without_signature(uint64_t ip) {
    return ip;
}

#endif

} // namespace

Unwinder::Unwinder(const UserStack& stack)
    : memory_(stack.memory), begin_(sp_of(stack.registers)),
      is_32_bits_(telemetry::is_32_bits(stack.registers)),
      registers_(registers_of<Registers>(stack.registers)), ip_(ip_of(stack.registers)),
      sp_(sp_of(stack.registers)) {}

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

bool Unwinder::knows_frame_of(const UnwindRules& rules) const {
    const size_t sp = is_32_bits_ ? sp_of_32 : sp_of_64;
    const bool is_outermost = rules.return_register < unwind_registers &&
                              rules.rules[rules.return_register].how == UnwindRules::How::undefined;
    return is_outermost || rules.frame_register != sp || registers_[sp];
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
    const StackEnd end = go_to(before, ip, *bp + 2 * size);
    if (!is_kept_on_top)
        registers_[is_32_bits_ ? sp_of_32 : sp_of_64].reset();
    return end;
}

/// Callers are further up: so it ends.
StackEnd Unwinder::go_to(const Registers& registers, std::optional<uint64_t> ip, uint64_t sp) {
    const bool is_frameless = may_be_without_frame && sp == sp_ && is_innermost_;
    if (sp <= sp_ && !is_frameless)
        return StackEnd::not_known;
    is_innermost_ = false;
    if (!*ip)
        return StackEnd::outermost;
    registers_ = registers;
    registers_[is_32_bits_ ? sp_of_32 : sp_of_64] = sp;
    sp_ = sp;
    ip_ = without_signature(*ip);
    return StackEnd::none;
}

} // namespace telemetry
