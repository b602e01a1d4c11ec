// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/kernel_memory.hpp"

#include "loader/src/arch/raw_syscall.hpp"
#include "loader/src/base/bpf_instructions.hpp"
#include "loader/src/base/cpus.hpp"
#include "loader/src/base/text.hpp"
#include "loader/src/base/tracing/tracepoint.hpp"

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/random.hpp>

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <span>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

using namespace insn;

/// What the program writes: the map's only value.
struct Kept {
    uint64_t task;
    uint64_t ids; ///< tgid << 32 | tid
    int64_t error;
    uint64_t count; ///< of answers so far
    std::byte bytes[KernelMemory::chunk];
};

[[noreturn]] void fail(const std::string& what) {
    throw Error(ErrorCode::offsets, "cannot discover the kernel's offsets: " + what);
}

[[noreturn]] void fail(const std::string& what, int error) {
    fail(what + ": " + strerror(error));
}

UniqueFd make_map(uint32_t value_size) {
    UniqueFd map(
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "ebt_discovery", sizeof(uint32_t), value_size, 1, nullptr));
    if (!map)
        fail("cannot create the map for the values that it reads", errno);
    return map;
}

UniqueFd load_program(std::span<const bpf_insn> program) {
    UniqueFd fd(bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "ebt_discovery", "GPL", program.data(),
                              program.size(), nullptr));
    if (!fd)
        fail("the kernel refused the program that reads its memory", errno);
    return fd;
}

/// r8 = the map's only value; leaves without it.
void find_value(Program& program, int map_fd) {
    program << store_value32(BPF_REG_10, -4, 0);
    program.load_map(BPF_REG_1, map_fd);
    program << move(BPF_REG_2, BPF_REG_10) << add_value(BPF_REG_2, -4) << call(BPF_FUNC_map_lookup_elem);
    program.leave_if_value(BPF_JEQ, BPF_REG_0, 0);
    program << move(BPF_REG_8, BPF_REG_0);
}

/// A bit beside the length: the address is an offset in the caller's task_struct.
constexpr int own_task_shift = 16;

Program reading_program(int map_fd, const uint32_t* secret, int16_t args) {
    const auto argument = [args](int index) { return static_cast<int16_t>(args + index * 8); };
    Program program;
    program << move(BPF_REG_6, BPF_REG_1);
    for (int i = 0; i < 2; i++) {
        program << load(BPF_REG_7, BPF_REG_6, argument(i));
        program.leave_if_value(BPF_JNE, BPF_REG_7, static_cast<int32_t>(secret[i]));
    }
    find_value(program, map_fd);
    program << call(BPF_FUNC_get_current_task) << move(BPF_REG_9, BPF_REG_0)
            << store(BPF_REG_8, offsetof(Kept, task), BPF_REG_9) << call(BPF_FUNC_get_current_pid_tgid)
            << store(BPF_REG_8, offsetof(Kept, ids), BPF_REG_0);
    // r3 = high half << 32 | low half, + the task where asked for
    program << load(BPF_REG_3, BPF_REG_6, argument(3)) << compute_value(BPF_LSH, BPF_REG_3, 32)
            << load(BPF_REG_4, BPF_REG_6, argument(2)) << compute_value(BPF_LSH, BPF_REG_4, 32)
            << compute_value(BPF_RSH, BPF_REG_4, 32) << compute(BPF_OR, BPF_REG_3, BPF_REG_4)
            << load(BPF_REG_4, BPF_REG_6, argument(4)) << compute_value(BPF_RSH, BPF_REG_4, own_task_shift)
            << compute_value(BPF_AND, BPF_REG_4, 1) << compute(BPF_MUL, BPF_REG_4, BPF_REG_9)
            << compute(BPF_ADD, BPF_REG_3, BPF_REG_4);
    // r2 = length, in words that every verifier follows: from 1 to a chunk
    program << load(BPF_REG_2, BPF_REG_6, argument(4)) << add_value(BPF_REG_2, -1)
            << compute_value(BPF_AND, BPF_REG_2, KernelMemory::chunk - 1) << add_value(BPF_REG_2, 1);
    program << move(BPF_REG_1, BPF_REG_8) << add_value(BPF_REG_1, offsetof(Kept, bytes))
            << call(BPF_FUNC_probe_read) << store(BPF_REG_8, offsetof(Kept, error), BPF_REG_0);
    program << load(BPF_REG_1, BPF_REG_8, offsetof(Kept, count)) << add_value(BPF_REG_1, 1)
            << store(BPF_REG_8, offsetof(Kept, count), BPF_REG_1);
    return program;
}

Kept read_kept(int map_fd) {
    Kept kept;
    const uint32_t key = 0;
    if (bpf_map_lookup_elem(map_fd, &key, &kept))
        fail("cannot read the map of the values that it read", errno);
    return kept;
}

} // namespace

UniqueFd hook_tracepoint(const std::string& tracefs, const std::string& event, int program_fd) {
    std::string problem;
    UniqueFd hook = ebpf_loader::hook_tracepoint(tracefs, event, program_fd, problem);
    if (!hook)
        fail(problem);
    return hook;
}

KernelMemory::KernelMemory(const std::string& tracefs) {
    for (uint32_t& word : secret_)
        word = random_bits() & INT32_MAX; // an instruction's immediate is signed
    const auto args = tracepoint_field(tracefs, "raw_syscalls/sys_enter", "args[6]");
    if (!args)
        fail("no tracepoint raw_syscalls/sys_enter in " + tracefs, ENOENT);
    map_ = make_map(sizeof(Kept));
    program_ = load_program(reading_program(map_.get(), secret_, static_cast<int16_t>(*args)).finish());
    hook_ = hook_tracepoint(tracefs, "raw_syscalls/sys_enter", program_.get());
    own_task_ = self().task;
    if (own_task_ == 0)
        fail("system calls do not reach the tracepoint raw_syscalls/sys_enter", ENODATA);
}

KernelMemory::Request KernelMemory::request(From from, uint64_t where, size_t length) const {
    const uint64_t flag = from == own_task ? 1 : 0;
    return {secret_[0], secret_[1], where & UINT32_MAX, where >> 32,
            std::min(length, chunk) | flag << own_task_shift};
}

KernelMemory::Answer KernelMemory::answer(size_t length) const {
    const Kept kept = read_kept(map_.get());
    Answer answer{.task = kept.task,
                  .tid = static_cast<uint32_t>(kept.ids),
                  .tgid = static_cast<uint32_t>(kept.ids >> 32),
                  .bytes = {}};
    if (kept.error == 0)
        answer.bytes.assign(kept.bytes, kept.bytes + std::min(length, chunk));
    return answer;
}

KernelMemory::Answer KernelMemory::self() const {
    const Request r = request(own_task, 0, sizeof(uint64_t));
    raw_syscall(SYS_getppid, r[0], r[1], r[2], r[3], r[4]);
    return answer(sizeof(uint64_t));
}

bool KernelMemory::can_be_address(uint64_t where) const {
    return machine::can_be_address(where, own_task_);
}

Block KernelMemory::read(uint64_t where, size_t length) const {
    Block block{.address = where, .bytes = {}};
    if (!can_be_address(where))
        return block;
    while (block.size() < length) {
        // Page by page, for a read that meets a missing page yields nothing at all.
        const uint64_t at = where + block.size();
        const size_t bytes = std::min<size_t>(length - block.size(), chunk - at % chunk);
        const Request r = request(address, at, bytes);
        raw_syscall(SYS_getppid, r[0], r[1], r[2], r[3], r[4]);
        const Answer got = answer(bytes);
        if (got.bytes.empty())
            break;
        block.bytes.insert(block.bytes.end(), got.bytes.begin(), got.bytes.end());
    }
    return block;
}

namespace {

Program pair_program(int map_fd, uint32_t tgid, uint32_t first, uint32_t second) {
    Program program;
    program << call(BPF_FUNC_get_current_pid_tgid) << compute_value(BPF_RSH, BPF_REG_0, 32);
    program.leave_if_value(BPF_JNE, BPF_REG_0, static_cast<int32_t>(tgid));
    program << call(BPF_FUNC_get_current_task) << move(BPF_REG_9, BPF_REG_0);
    for (const auto& [offset, slot] : {std::pair{first, int16_t{-16}}, {second, int16_t{-24}}})
        program << move(BPF_REG_3, BPF_REG_9) << add_value(BPF_REG_3, static_cast<int32_t>(offset))
                << move_value(BPF_REG_2, 8) << move(BPF_REG_1, BPF_REG_10) << add_value(BPF_REG_1, slot)
                << call(BPF_FUNC_probe_read);
    program << load(BPF_REG_6, BPF_REG_10, -16) << load(BPF_REG_7, BPF_REG_10, -24);
    program.leave_if(BPF_JEQ, BPF_REG_6, BPF_REG_7);
    find_value(program, map_fd);
    program << store(BPF_REG_8, 0, BPF_REG_6) << store(BPF_REG_8, 8, BPF_REG_7);
    return program;
}

} // namespace

PairWatch::PairWatch(const std::string& tracefs, const std::string& event, uint32_t tgid, uint32_t first,
                     uint32_t second)
    : map_(make_map(2 * sizeof(uint64_t))),
      program_(load_program(pair_program(map_.get(), tgid, first, second).finish())),
      hook_(hook_tracepoint(tracefs, event, program_.get())) {}

std::array<uint64_t, 2> PairWatch::words() const {
    std::array<uint64_t, 2> words{};
    const uint32_t key = 0;
    if (bpf_map_lookup_elem(map_.get(), &key, words.data()))
        fail("cannot read the map of the values that it read", errno);
    return words;
}

bool PairWatch::differed() const {
    const auto [first, second] = words();
    return first != second;
}

} // namespace ebpf_loader::discovery
