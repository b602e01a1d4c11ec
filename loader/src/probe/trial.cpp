// SPDX-License-Identifier: LGPL-2.1
// Small programs and maps, loaded to learn what the kernel accepts. Classic
// tracepoint programs are used where the type does not matter: every kernel has them.
#include "loader/src/probe/trial.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_instructions.hpp"

#include <cerrno>
#include <sys/syscall.h>
#include <vector>

namespace ebpf_loader {
namespace {

using namespace insn;

Trial judge(const UniqueFd& fd) {
    if (fd)
        return Trial::yes;
    return errno == EPERM || errno == EACCES ? Trial::denied : Trial::no;
}

} // namespace

Trial try_bpf_syscall() {
    bpf_attr nothing{};
    if (syscall(SYS_bpf, BPF_MAP_CREATE, &nothing, sizeof nothing) >= 0)
        return Trial::yes;
    if (errno == EPERM || errno == EACCES)
        return Trial::denied;
    return errno == ENOSYS ? Trial::no : Trial::yes;
}

Trial try_program(bpf_prog_type type, std::span<const bpf_insn> instructions) {
    return judge(
        UniqueFd(bpf_prog_load(type, nullptr, "GPL", instructions.data(), instructions.size(), nullptr)));
}

Trial try_program_type(bpf_prog_type type) {
    constexpr bpf_insn program[] = {move_value(BPF_REG_0, 0), end()};
    return try_program(type, program);
}

Trial try_map_type(bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t entries) {
    return judge(UniqueFd(bpf_map_create(type, nullptr, key_size, value_size, entries, nullptr)));
}

Trial try_long_program() {
    std::vector<bpf_insn> program(4096, move_value(BPF_REG_0, 0));
    program.push_back(end());
    return try_program(BPF_PROG_TYPE_TRACEPOINT, program);
}

Trial try_bounded_loop() {
    constexpr bpf_insn program[] = {move_value(BPF_REG_1, 10), add_value(BPF_REG_1, -1),
                                    instruction(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, -2, 0),
                                    move_value(BPF_REG_0, 0), end()};
    return try_program(BPF_PROG_TYPE_TRACEPOINT, program);
}

Trial try_boot_clock() {
    constexpr bpf_insn program[] = {call(BPF_FUNC_ktime_get_boot_ns), end()};
    return try_program(BPF_PROG_TYPE_TRACEPOINT, program);
}

Trial try_probe_read_user() {
    constexpr bpf_insn program[] = {move(BPF_REG_1, BPF_REG_10),
                                    add_value(BPF_REG_1, -8),
                                    move_value(BPF_REG_2, 8),
                                    move_value(BPF_REG_3, 0),
                                    call(BPF_FUNC_probe_read_user),
                                    move_value(BPF_REG_0, 0),
                                    end()};
    return try_program(BPF_PROG_TYPE_TRACEPOINT, program);
}

Trial try_direct_reads(int rdonly_cast) {
    const bpf_insn program[] = {
        instruction(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 0, 0), // a number from the context
        move_value(BPF_REG_2, 0),
        instruction(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, rdonly_cast),
        instruction(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_0, 8, 0),
        move_value(BPF_REG_0, 0),
        end()};
    return try_program(BPF_PROG_TYPE_RAW_TRACEPOINT, program);
}

} // namespace ebpf_loader
