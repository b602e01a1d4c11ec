// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/probe.hpp>

#include <array>

namespace ebpf_loader {
namespace {

constexpr std::array<std::string_view, 4> names = {"tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"};

/// Returns why no tier at all can run here; empty when some may.
std::string common_obstacle(const KernelSupport& caps) {
    if (!caps.bpf_syscall)
        return "the kernel has no bpf system call (CONFIG_BPF_SYSCALL)";
    if (!caps.has_privileges)
        return "this process lacks " + caps.missing_privileges;
    if (caps.lockdown_confidentiality)
        return "the kernel is locked down (confidentiality): programs may not read kernel memory";
    if (!caps.ring_buffer && !caps.perf_event_array)
        return "the kernel has neither a ring buffer nor perf buffers (CONFIG_PERF_EVENTS)";
    if (!caps.prog_array)
        return "the kernel has no tail calls";
    return {};
}

std::string own_obstacle(Tier tier, const KernelSupport& caps) {
    if (tier == Tier::tp) {
        if (!caps.tracepoint_programs)
            return "the kernel has no tracepoint programs (CONFIG_BPF_EVENTS)";
        return caps.tracefs ? "" : "tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing";
    }
    if (!caps.raw_tracepoint_programs)
        return "the kernel has no raw tracepoint programs (Linux 4.17 brought them)";
    if (tier == Tier::raw_tp_sub4096)
        return {};
    if (caps.instruction_limit <= 4096)
        return "the kernel refuses programs of more than 4096 instructions (Linux 5.2 raised the limit)";
    if (tier == Tier::raw_tp && !caps.bounded_loops)
        return "the kernel refuses loops (Linux 5.3 brought them)";
    return {};
}

/// The smaller tiers have no instructions left to read each member on its own.
std::string layout_obstacle(Tier tier, const Offsets& offsets) {
    const auto scattered = offsets.scattered();
    if (tier == Tier::raw_tp || scattered.empty())
        return {};
    std::string text = "this tier needs members of kernel structures that are close together:";
    for (size_t i = 0; i < scattered.size(); i++)
        text += (i == 0 ? " " : "; ") + scattered[i];
    return text + ". Either the kernel was built with randomised structures, or the offsets are wrong";
}

/// Classic tracepoints cost more, but their programs are never preempted, so none is skipped.
std::vector<Tier> order_of_preference(const KernelSupport& caps) {
    if (caps.raw_tracepoints_preempted)
        return {Tier::tp, Tier::raw_tp, Tier::raw_tp_noloops, Tier::raw_tp_sub4096};
    return {Tier::raw_tp, Tier::raw_tp_noloops, Tier::raw_tp_sub4096, Tier::tp};
}

} // namespace

std::string_view tier_name(Tier tier) {
    return names[static_cast<size_t>(tier)];
}

std::optional<Tier> parse_tier(std::string_view name) {
    for (size_t i = 0; i < names.size(); ++i)
        if (names[i] == name)
            return static_cast<Tier>(i);
    return std::nullopt;
}

std::vector<TierVerdict> judge_tiers(const KernelSupport& caps) {
    std::vector<TierVerdict> verdicts;
    for (Tier tier : order_of_preference(caps)) {
        TierVerdict verdict;
        verdict.tier = tier;
        verdict.reason = common_obstacle(caps);
        if (verdict.reason.empty())
            verdict.reason = own_obstacle(tier, caps);
        verdict.possible = verdict.reason.empty();
        if (verdict.possible && tier != Tier::tp && caps.raw_tracepoints_preempted)
            verdict.drawback = "this kernel preempts raw tracepoint programs (Linux 7.0 and later) and skips "
                               "them when another task reaches the same tracepoint meanwhile";
        verdicts.push_back(std::move(verdict));
    }
    return verdicts;
}

std::vector<TierVerdict> judge_tiers(const KernelSupport& caps, const Offsets& offsets) {
    std::vector<TierVerdict> verdicts = judge_tiers(caps);
    for (TierVerdict& verdict : verdicts) {
        if (verdict.possible)
            verdict.reason = layout_obstacle(verdict.tier, offsets);
        verdict.possible = verdict.reason.empty();
    }
    return verdicts;
}

} // namespace ebpf_loader
