// SPDX-License-Identifier: MIT
// Where this machine's registers are in ebt_registers, and what ELF and DWARF call them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <elf.h>
#include <iterator>
#include <ucontext.h>

#include "kern/abi/machine.h"

namespace registers {

#ifdef __aarch64__

inline constexpr uint16_t elf_machine = EM_AARCH64;
inline constexpr uint8_t return_address = 30; ///< as unwind tables number it

inline auto& ip(auto& r) {
    return r.pc;
}
inline auto& sp(auto& r) {
    return r.sp;
}
inline auto& bp(auto& r) {
    return r.x[29];
}
inline void set_width(ebt_registers& r, bool is_32_bits) {
    r.pstate = is_32_bits ? 0x10 : 0;
}
/// Those that a function keeps for its caller, and where it returns to.
inline void take(ebt_registers& to, const ucontext_t& context) {
    const mcontext_t& from = context.uc_mcontext;
    std::copy(std::begin(from.regs), std::end(from.regs), to.x);
    to.sp = from.sp;
    to.pc = from.pc;
}

#else

inline constexpr uint16_t elf_machine = EM_X86_64;
inline constexpr uint8_t return_address = 16; ///< as unwind tables number it

inline auto& ip(auto& r) {
    return r.ip;
}
inline auto& sp(auto& r) {
    return r.sp;
}
inline auto& bp(auto& r) {
    return r.bp;
}
inline void set_width(ebt_registers& r, bool is_32_bits) {
    r.cs = is_32_bits ? 0x23 : 0x33;
}
/// Those that a function keeps for its caller, and where it returns to.
inline void take(ebt_registers& to, const ucontext_t& context) {
    const auto from = [&](int number) { return static_cast<uint64_t>(context.uc_mcontext.gregs[number]); };
    to.ip = from(REG_RIP);
    to.sp = from(REG_RSP);
    to.bp = from(REG_RBP);
    to.bx = from(REG_RBX);
    to.r12 = from(REG_R12);
    to.r13 = from(REG_R13);
    to.r14 = from(REG_R14);
    to.r15 = from(REG_R15);
    set_width(to, false);
}

#endif

/// Those of a 64-bit program that is at some place of its code and its stack.
inline ebt_registers at(uint64_t code, uint64_t stack) {
    ebt_registers all{};
    set_width(all, false);
    ip(all) = code;
    sp(all) = bp(all) = stack;
    return all;
}

} // namespace registers
