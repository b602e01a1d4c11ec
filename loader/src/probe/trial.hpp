// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <span>

namespace ebpf_loader {

/// What came of asking the kernel for something.
enum class Trial {
    yes,
    no,
    denied, ///< not to this process: nothing learnt about the kernel
};

/// Is the bpf system call there at all?
Trial try_bpf_syscall();
/// Does the kernel accept this program? Loaded and dropped at once, never attached.
Trial try_program(bpf_prog_type type, std::span<const bpf_insn> instructions);
/// The smallest program of a type.
Trial try_program_type(bpf_prog_type type);
Trial try_map_type(bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t entries);
/// More than 4096 instructions in one program: then a million are verified.
Trial try_long_program();
Trial try_bounded_loop();
Trial try_boot_clock();
Trial try_probe_read_user();
/// Does bpf_rdonly_cast, with this id in the kernel's BTF, make any address readable?
Trial try_direct_reads(int rdonly_cast);

} // namespace ebpf_loader
