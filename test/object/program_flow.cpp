// SPDX-License-Identifier: MIT
// How control flows through a program, as far as that can be told without running it.
#include <optional>
#include <stdexcept>

#include "object_file.hpp"

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

/// Where control goes from an instruction.
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

/// A register that holds the answer to a question: no, hence 0. One at a time is enough:
/// the compiler asks right before it decides.
struct Answer {
    int reg = -1;
    auto operator<=>(const Answer&) const = default;
};

bool writes(const bpf_insn& instruction, int reg) {
    const int kind = BPF_CLASS(instruction.code);
    if (is_call(instruction))
        return reg <= BPF_REG_5;
    return (kind == BPF_ALU || kind == BPF_ALU64 || kind == BPF_LD || kind == BPF_LDX) &&
           instruction.dst_reg == reg;
}

/// The way that a comparison of the answer takes, if it is one.
std::optional<bool> decided(const bpf_insn& instruction, const Answer& answer) {
    if (BPF_CLASS(instruction.code) != BPF_JMP || BPF_SRC(instruction.code) != BPF_K ||
        instruction.dst_reg != answer.reg)
        return std::nullopt;
    if (BPF_OP(instruction.code) == BPF_JEQ)
        return instruction.imm == 0;
    if (BPF_OP(instruction.code) == BPF_JNE)
        return instruction.imm != 0;
    return std::nullopt;
}

} // namespace

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
    std::set<std::pair<size_t, Answer>> seen;
    std::vector<std::pair<size_t, Answer>> open = {{0, {}}};
    while (!open.empty()) {
        auto [at, answer] = open.back();
        open.pop_back();
        if (!seen.insert({at, answer}).second)
            continue;
        const bpf_insn& instruction = program.instructions.at(at);
        if (is_helper_call(instruction))
            result.insert(instruction.imm);
        const auto question = program.questions.find(at);
        if (question != program.questions.end() && question->second.structure == "ebt_features")
            answer.reg = instruction.dst_reg;
        else if (answer.reg >= 0 && writes(instruction, answer.reg))
            answer.reg = -1;
        if (const auto jumps = decided(instruction, answer))
            open.emplace_back(*jumps ? target(at, instruction) : at + 1, answer);
        else
            for (const size_t next : successors(program, at))
                open.emplace_back(next, answer);
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
