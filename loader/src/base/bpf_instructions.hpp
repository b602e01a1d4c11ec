// SPDX-License-Identifier: LGPL-2.1
// Words for the few eBPF programs that are written by hand.
#pragma once
#include <cstdint>
#include <linux/bpf.h>
#include <vector>

namespace ebpf_loader::insn {

constexpr bpf_insn instruction(uint8_t code, uint8_t destination, uint8_t source, int16_t offset,
                               int32_t value) {
    return {.code = code, .dst_reg = destination, .src_reg = source, .off = offset, .imm = value};
}
/// destination = *(u64*)(source + offset)
constexpr bpf_insn load(uint8_t destination, uint8_t source, int16_t offset) {
    return instruction(BPF_LDX | BPF_MEM | BPF_DW, destination, source, offset, 0);
}
/// destination = *(u8*)(source + offset)
constexpr bpf_insn load8(uint8_t destination, uint8_t source, int16_t offset) {
    return instruction(BPF_LDX | BPF_MEM | BPF_B, destination, source, offset, 0);
}
/// *(u64*)(destination + offset) = source
constexpr bpf_insn store(uint8_t destination, int16_t offset, uint8_t source) {
    return instruction(BPF_STX | BPF_MEM | BPF_DW, destination, source, offset, 0);
}
/// *(u32*)(destination + offset) = value
constexpr bpf_insn store_value32(uint8_t destination, int16_t offset, int32_t value) {
    return instruction(BPF_ST | BPF_MEM | BPF_W, destination, 0, offset, value);
}
constexpr bpf_insn move(uint8_t destination, uint8_t source) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_X, destination, source, 0, 0);
}
constexpr bpf_insn move_value(uint8_t destination, int32_t value) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_K, destination, 0, 0, value);
}
/// destination = destination <operation> source; BPF_ADD, BPF_SUB, BPF_MUL, ...
constexpr bpf_insn compute(uint8_t operation, uint8_t destination, uint8_t source) {
    return instruction(static_cast<uint8_t>(BPF_ALU64 | operation | BPF_X), destination, source, 0, 0);
}
constexpr bpf_insn compute_value(uint8_t operation, uint8_t destination, int32_t value) {
    return instruction(static_cast<uint8_t>(BPF_ALU64 | operation | BPF_K), destination, 0, 0, value);
}
constexpr bpf_insn add_value(uint8_t destination, int32_t value) {
    return compute_value(BPF_ADD, destination, value);
}
constexpr bpf_insn call(int32_t helper) {
    return instruction(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}
constexpr bpf_insn end() {
    return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/// A program in the making, with one label: its end.
class Program {
  public:
    Program& operator<<(const bpf_insn& next) {
        instructions_.push_back(next);
        return *this;
    }
    /// Loads a map's descriptor: two instructions.
    void load_map(uint8_t destination, int map_fd) {
        *this << instruction(BPF_LD | BPF_DW | BPF_IMM, destination, BPF_PSEUDO_MAP_FD, 0, map_fd)
              << instruction(0, 0, 0, 0, 0);
    }
    /// Goes to the end if `operation` (BPF_JEQ, BPF_JNE) holds between a register and a value.
    void leave_if_value(uint8_t operation, uint8_t reg, int32_t value) {
        leave(instruction(static_cast<uint8_t>(BPF_JMP | operation | BPF_K), reg, 0, 0, value));
    }
    void leave_if(uint8_t operation, uint8_t reg, uint8_t other) {
        leave(instruction(static_cast<uint8_t>(BPF_JMP | operation | BPF_X), reg, other, 0, 0));
    }
    /// Appends "return 0" and aims the jumps there.
    const std::vector<bpf_insn>& finish() {
        for (size_t jump : leaves_)
            instructions_[jump].off = static_cast<int16_t>(instructions_.size() - jump - 1);
        *this << move_value(BPF_REG_0, 0) << end();
        return instructions_;
    }

  private:
    void leave(const bpf_insn& jump) {
        leaves_.push_back(instructions_.size());
        *this << jump;
    }

    std::vector<bpf_insn> instructions_;
    std::vector<size_t> leaves_;
};

} // namespace ebpf_loader::insn
