// SPDX-License-Identifier: MIT
// Where a program relies on bounds of a number that it has had on its stack meanwhile.
#include <array>

#include "test/object/object_file.hpp"

namespace object_test {

namespace {

/// What is known of a register or a word of the stack; what comes later is worse.
enum Kind : uint8_t { other, bounded, forgotten };

struct Value {
    Kind kind = other;
    bool is_pointer = false; ///< into a map's value
    auto operator<=>(const Value&) const = default;
};

struct State {
    std::array<Value, 11> registers;
    std::map<int16_t, Value> stack;
    auto operator<=>(const State&) const = default;
};

/// Either may hold. Returns whether that is news to `into`.
bool join(Value& into, const Value& from) {
    const Value before = into;
    into.kind = std::max(into.kind, from.kind);
    into.is_pointer |= from.is_pointer;
    return into != before;
}

bool join(State& into, const State& from) {
    bool changed = false;
    for (size_t reg = 0; reg < into.registers.size(); reg++)
        changed |= join(into.registers[reg], from.registers[reg]);
    for (const auto& [offset, value] : from.stack)
        changed |= join(into.stack[offset], value);
    return changed;
}

bool is_stack(int reg) {
    return reg == BPF_REG_10;
}

/// A mask, or a shift that leaves 16 bits, bounds whatever it was; other sums of numbers are as their worst
/// part.
Value computed(const bpf_insn& instruction, const Value& a, const Value& b) {
    const bool is_constant = BPF_SRC(instruction.code) == BPF_K;
    switch (BPF_OP(instruction.code)) {
    case BPF_MOV:
        return is_constant ? Value{} : b;
    case BPF_AND:
        return {bounded, false};
    case BPF_RSH:
        return is_constant && instruction.imm >= 48 ? Value{bounded, false} : a;
    default:
        return is_constant ? a : Value{std::max(a.kind, b.kind), a.is_pointer || b.is_pointer};
    }
}

void load(const bpf_insn& instruction, State& state) {
    Value& to = state.registers[instruction.dst_reg];
    to = {};
    if (BPF_CLASS(instruction.code) != BPF_LDX || !is_stack(instruction.src_reg))
        return;
    if (const auto word = state.stack.find(instruction.off); word != state.stack.end()) {
        to = word->second;
        if (!to.is_pointer && to.kind == bounded) // of pointers every verifier remembers all
            to.kind = forgotten;
    }
}

void store(const bpf_insn& instruction, State& state) {
    if (is_stack(instruction.dst_reg))
        state.stack[instruction.off] =
            BPF_CLASS(instruction.code) == BPF_STX ? state.registers[instruction.src_reg] : Value{};
}

/// What holds after the instruction. False: it adds what is forgotten to a pointer.
bool follow(const bpf_insn& instruction, State& state) {
    Value& to = state.registers[instruction.dst_reg];
    const Value& from = state.registers[instruction.src_reg];
    switch (BPF_CLASS(instruction.code)) {
    case BPF_ALU:
    case BPF_ALU64: {
        const bool adds = BPF_OP(instruction.code) == BPF_ADD && BPF_SRC(instruction.code) == BPF_X &&
                          to.is_pointer != from.is_pointer;
        const bool is_wrong = adds && (to.is_pointer ? from : to).kind == forgotten;
        to = computed(instruction, to, from);
        return !is_wrong;
    }
    case BPF_LD:
    case BPF_LDX:
        load(instruction, state);
        return true;
    case BPF_ST:
    case BPF_STX:
        store(instruction, state);
        return true;
    case BPF_JMP:
        if (instruction.code == (BPF_JMP | BPF_CALL)) {
            for (int reg = BPF_REG_0; reg <= BPF_REG_5; reg++)
                state.registers[static_cast<size_t>(reg)] = {};
            state.registers[BPF_REG_0].is_pointer =
                instruction.src_reg == 0 && instruction.imm == BPF_FUNC_map_lookup_elem;
        }
        return true;
    default:
        return true;
    }
}

} // namespace

std::vector<size_t> forgotten_bounds(const Program& program) {
    std::map<size_t, State> states = {{0, {}}};
    std::set<size_t> open = {0}, wrong;
    while (!open.empty()) {
        const size_t at = *open.begin();
        open.erase(open.begin());
        State state = states[at];
        if (!follow(program.instructions.at(at), state))
            wrong.insert(at);
        for (const size_t next : successors(program, at)) {
            const auto [known, is_new] = states.try_emplace(next, state);
            if (is_new || join(known->second, state))
                open.insert(next);
        }
    }
    return {wrong.begin(), wrong.end()};
}

} // namespace object_test
