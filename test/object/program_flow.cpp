// SPDX-License-Identifier: MIT
// How control flows through a program, as far as that can be told without running it.
#include <optional>
#include <stdexcept>

#include "test/object/object_file.hpp"

namespace object_test {

namespace {

bool is_wide(const bpf_insn& instruction) { // takes the place of two
    return instruction.code == (BPF_LD | BPF_IMM | BPF_DW);
}

bool is_call(const bpf_insn& instruction) {
    return instruction.code == (BPF_JMP | BPF_CALL);
}

bool is_helper_call(const bpf_insn& instruction) {
    return is_call(instruction) && instruction.src_reg == 0;
}

bool is_jump(const bpf_insn& instruction) {
    const int kind = BPF_CLASS(instruction.code);
    return (kind == BPF_JMP || kind == BPF_JMP32) && BPF_OP(instruction.code) != BPF_CALL &&
           BPF_OP(instruction.code) != BPF_EXIT;
}

bool is_exit(const bpf_insn& instruction) {
    return instruction.code == (BPF_JMP | BPF_EXIT);
}

size_t target(size_t at, const bpf_insn& instruction) {
    return static_cast<size_t>(static_cast<int64_t>(at) + 1 + instruction.off);
}

/// Where the answer no, hence 0, to a question stands: registers, and words of the stack
/// that they were put into.
struct Answers {
    uint16_t registers = 0;
    std::set<int16_t> stack;
    auto operator<=>(const Answers&) const = default;

    bool has(int reg) const { return registers >> reg & 1; }
    void set(int reg, bool is_answer) {
        registers = static_cast<uint16_t>(is_answer ? registers | 1 << reg : registers & ~(1 << reg));
    }
};

/// Does 0 stay 0?
bool keeps_zero(const bpf_insn& instruction) {
    const int kind = BPF_CLASS(instruction.code), operation = BPF_OP(instruction.code);
    return (kind == BPF_ALU || kind == BPF_ALU64) && BPF_SRC(instruction.code) == BPF_K &&
           (operation == BPF_LSH || operation == BPF_RSH || operation == BPF_ARSH || operation == BPF_AND);
}

/// What an instruction that asks nothing makes of the answers.
void follow(const bpf_insn& instruction, Answers& answers) {
    const int kind = BPF_CLASS(instruction.code);
    const bool whole = BPF_SIZE(instruction.code) == BPF_DW;
    if (is_call(instruction)) {
        for (int reg = BPF_REG_0; reg <= BPF_REG_5; reg++)
            answers.set(reg, false);
    } else if (instruction.code == (BPF_ALU64 | BPF_MOV | BPF_X)) {
        answers.set(instruction.dst_reg, answers.has(instruction.src_reg));
    } else if (kind == BPF_STX && instruction.dst_reg == BPF_REG_10) {
        if (whole && answers.has(instruction.src_reg))
            answers.stack.insert(instruction.off);
        else
            answers.stack.erase(instruction.off);
    } else if (kind == BPF_LDX && instruction.src_reg == BPF_REG_10) {
        answers.set(instruction.dst_reg, whole && answers.stack.contains(instruction.off));
    } else if (keeps_zero(instruction)) {
        return; // how the compiler cuts it to 32 bits
    } else if (kind == BPF_ALU || kind == BPF_ALU64 || kind == BPF_LD || kind == BPF_LDX) {
        answers.set(instruction.dst_reg, false);
    }
}

/// The way that a comparison of an answer takes, if it is one.
std::optional<bool> decided(const bpf_insn& instruction, const Answers& answers) {
    if (BPF_CLASS(instruction.code) != BPF_JMP || BPF_SRC(instruction.code) != BPF_K ||
        !answers.has(instruction.dst_reg))
        return std::nullopt;
    if (BPF_OP(instruction.code) == BPF_JEQ)
        return instruction.imm == 0;
    if (BPF_OP(instruction.code) == BPF_JNE)
        return instruction.imm != 0;
    return std::nullopt;
}

} // namespace

std::vector<size_t> successors(const Program& program, size_t at) {
    const bpf_insn& instruction = program.instructions.at(at);
    if (is_exit(instruction))
        return {};
    if (!is_jump(instruction))
        return {at + (is_wide(instruction) ? 2 : 1)};
    if (BPF_OP(instruction.code) == BPF_JA)
        return {target(at, instruction)};
    return {at + 1, target(at, instruction)};
}

std::set<int32_t> helpers(const Program& program) {
    std::set<int32_t> result;
    for (const bpf_insn& instruction : program.instructions)
        if (is_helper_call(instruction))
            result.insert(instruction.imm);
    return result;
}

bool has_calls(const Program& program) {
    for (const bpf_insn& instruction : program.instructions)
        if (is_call(instruction) && instruction.src_reg != 0)
            return true;
    return false;
}

std::set<int32_t> helpers_without_features(const Program& program) {
    std::set<int32_t> result;
    std::set<std::pair<size_t, Answers>> seen;
    std::vector<std::pair<size_t, Answers>> open = {{0, {}}};
    while (!open.empty()) {
        auto [at, answers] = open.back();
        open.pop_back();
        if (!seen.insert({at, answers}).second)
            continue;
        const bpf_insn& instruction = program.instructions.at(at);
        if (is_helper_call(instruction))
            result.insert(instruction.imm);
        const auto question = program.questions.find(at);
        if (question != program.questions.end() && question->second.structure == "ebt_features")
            answers.set(instruction.dst_reg, true);
        else
            follow(instruction, answers);
        if (const auto jumps = decided(instruction, answers))
            open.emplace_back(*jumps ? target(at, instruction) : at + 1, answers);
        else
            for (const size_t next : successors(program, at))
                open.emplace_back(next, answers);
    }
    return result;
}

/// Depth first: a way back to an instruction that is still being followed is a loop.
bool has_loop(const Program& program) {
    enum State : char { unknown, followed, done };
    std::vector<State> states(program.instructions.size(), unknown);
    struct Step {
        size_t at;
        std::vector<size_t> next;
    };
    std::vector<Step> path;
    const auto enter = [&](size_t at) {
        states.at(at) = followed;
        path.push_back({at, successors(program, at)});
    };
    enter(0);
    while (!path.empty()) {
        Step& step = path.back();
        if (step.next.empty()) {
            states[step.at] = done;
            path.pop_back();
            continue;
        }
        const size_t next = step.next.back();
        step.next.pop_back();
        if (states.at(next) == followed)
            return true;
        if (states[next] == unknown)
            enter(next);
    }
    return false;
}

} // namespace object_test
