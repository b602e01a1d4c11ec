// SPDX-License-Identifier: LGPL-2.1
// Names and verdicts of tiers are in tables/tiers.cpp.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/api.hpp>
#include <ebpf_loader/witness.hpp>

namespace ebpf_loader {

class Offsets;

/// The eBPF objects, from the least demanding to the most capable.
enum class Tier { tp, raw_tp_sub4096, raw_tp_noloops, raw_tp };

EBPF_LOADER_API std::string_view tier_name(Tier tier);
EBPF_LOADER_API std::optional<Tier> parse_tier(std::string_view name);

/// A capability that could not be found out.
struct Unknown {
    std::string key; ///< as in write_probe_json: "ring_buffer"
    std::string why; ///< "the kernel does not let this process try"
};

/// What this kernel can, found by trying, never by version.
struct KernelSupport {
    std::string release;
    std::string distribution; ///< PRETTY_NAME of os-release; may be empty
    bool bpf_syscall = false;
    bool tracepoint_programs = false;
    bool raw_tracepoint_programs = false;
    /// Since Linux 7.0: a raw tracepoint's program can be preempted, and where another task
    /// comes to the same tracepoint meanwhile, the kernel skips the program.
    bool raw_tracepoints_preempted = false;
    bool ring_buffer = false;
    bool perf_event_array = false;
    bool prog_array = false;
    bool lru_hash = false;
    bool boot_clock = false;   ///< bpf_ktime_get_boot_ns
    bool direct_reads = false; ///< kernel memory without a helper: bpf_rdonly_cast of no type (6.17)
    int rdonly_cast = 0;       ///< the number of that function in the kernel's BTF
    bool probe_read_user = false;
    uint64_t instruction_limit = 0; ///< verified instructions: 4096-instruction programs or 1,000,000
    bool bounded_loops = false;
    bool btf = false;         ///< /sys/kernel/btf/vmlinux
    bool sock_states = false; ///< the tracepoint sock:inet_sock_set_state (4.16)
    bool io_uring = false;    ///< programs may make the kernel act without system calls (5.1)
    bool tracefs = false;
    std::string tracefs_path;
    bool lockdown_confidentiality = false;
    bool has_privileges = false;                ///< CAP_SYS_ADMIN, or CAP_BPF + CAP_PERFMON + ...
    std::string missing_privileges;             ///< what is missing, in words
    std::vector<std::string> held_capabilities; ///< of this process, that eBPF may ask for
    int jit = -1;                               ///< net.core.bpf_jit_enable; -1 unreadable
    int unprivileged_bpf_disabled = -1;
    int perf_event_paranoid = -1;
    std::vector<WitnessVerdict> witnesses; ///< by try_tiers(); empty before
    /// Which tier an engine takes for the selection that try_tiers() was given; none: it would not start.
    std::optional<Tier> run_tier;
    std::vector<Unknown> unknown; ///< these are false or 0 above, without having been found so
};

EBPF_LOADER_API KernelSupport probe_kernel();

/// What became of a tier.
struct TierVerdict {
    Tier tier;
    bool chosen = false;
    bool possible = false;              ///< by what the kernel supports; loading may still have failed
    std::string reason;                 ///< why passed over, in words; empty when chosen
    std::string drawback;               ///< of a possible one: why another one is better, in words
    std::string log_tail;               ///< the end of the verifier's log, when it refused
    uint64_t verified_instructions = 0; ///< of the largest program, when loaded and known
};

/// Judges every tier by what the kernel supports alone, the one to prefer first; `chosen` is left to the
/// engine.
EBPF_LOADER_API std::vector<TierVerdict> judge_tiers(const KernelSupport& caps);
/// The same for a kernel whose structures are laid out like this.
EBPF_LOADER_API std::vector<TierVerdict> judge_tiers(const KernelSupport& caps, const Offsets& offsets);

} // namespace ebpf_loader
