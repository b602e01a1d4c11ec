// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/tier_choice.hpp"

#include "loader/src/base/file_limit.hpp"
#include "loader/src/load/buffers/buffer_sizes.hpp"
#include "loader/src/load/plan.hpp"
#include "loader/src/load/witness/witness_object.hpp"

namespace ebpf_loader {

namespace {

std::string passed_over(const char* what, const TierVerdict& verdict) {
    return verdict.drawback.empty() ? what : what + (": " + verdict.drawback);
}

std::string all_refused(const std::vector<TierVerdict>& verdicts) {
    std::string text = "no tier can run on this kernel:";
    for (const TierVerdict& verdict : verdicts) {
        text += "\n  " + std::string(tier_name(verdict.tier)) + ": " + verdict.reason;
        if (!verdict.log_tail.empty())
            text += "\n" + verdict.log_tail;
    }
    return text;
}

/// Before 5.16 only the verifier's log has the number. Before 5.2 that is a log of all it did, which
/// takes longer than the load: 0 then, for unknown.
uint64_t verified_instructions(Tier tier, LoadPlan plan, const KernelSupport& kernel) {
    const uint64_t reported = LoadedTier(tier, plan).verified_instructions();
    if (reported != 0 || kernel.instruction_limit <= 4096)
        return reported;
    plan.counts = true;
    return LoadedTier(tier, plan).verified_instructions();
}

} // namespace

std::unique_ptr<LoadedTier> load_best(std::vector<TierVerdict>& verdicts, std::optional<Tier> asked,
                                      const LoadPlan& plan,
                                      const std::function<void(std::string_view)>& log) {
    std::unique_ptr<LoadedTier> tier;
    for (TierVerdict& verdict : verdicts) {
        if (asked && verdict.tier != *asked) {
            if (verdict.possible)
                verdict.reason = "another tier was requested";
            continue;
        }
        if (!verdict.possible)
            continue;
        try {
            tier = std::make_unique<LoadedTier>(verdict.tier, plan);
        } catch (const LoadFailure& failure) {
            verdict.reason = failure.what();
            verdict.log_tail = failure.log_tail;
            if (log)
                log("tier " + std::string(tier_name(verdict.tier)) + " passed over: " + verdict.reason);
            continue;
        }
        verdict.chosen = true;
        verdict.reason.clear();
        verdict.verified_instructions = tier->verified_instructions();
        break;
    }
    if (!tier)
        throw Error(ErrorCode::tiers, all_refused(verdicts));
    for (TierVerdict& verdict : verdicts)
        if (verdict.possible && !verdict.chosen && verdict.reason.empty())
            verdict.reason = passed_over("a better tier is used", verdict);
    return tier;
}

namespace {

constexpr uint16_t all_witnesses = UINT16_MAX;

std::vector<WitnessVerdict> try_witnesses(Tier tier, const LoadPlan& plan) {
    const LoadedTier loaded(tier, plan);
    WitnessObject witnesses(loaded, plan, all_witnesses);
    witnesses.attach();
    return witnesses.verdicts();
}

/// The first of these that loads what the selection asks for.
std::optional<Tier> tier_of_run(KernelSupport& kernel, const Offsets& offsets, const Selection& run,
                                const std::vector<TierVerdict>& verdicts) {
    const LoadPlan plan = make_load_plan(kernel, offsets, hooks_for(run), {.bytes = least_buffer_bytes}, {});
    for (const TierVerdict& verdict : verdicts) {
        if (!verdict.possible)
            continue;
        try {
            const LoadedTier loaded(verdict.tier, plan);
            return verdict.tier;
        } catch (const LoadFailure&) {
            continue; // what try_tiers() loads is more and says why
        }
    }
    return std::nullopt;
}

} // namespace

std::vector<TierVerdict> try_tiers(KernelSupport& kernel, const Offsets& offsets, const Selection* run) {
    ensure_file_limit();
    const Hooks all{.enter = true,
                    .exec_args = true,
                    .renames = true,
                    .fork = true,
                    .exec = true,
                    .exit = true,
                    .endpoints = 1,
                    .sock_states = true,
                    .user_stacks = true,
                    .environment = true,
                    .exe_versions = true,
                    .screens = true,
                    .witnesses = all_witnesses};
    const LoadPlan plan = make_load_plan(kernel, offsets, all, {.bytes = least_buffer_bytes}, {});
    auto verdicts = judge_tiers(kernel, offsets);
    if (run)
        kernel.run_tier = tier_of_run(kernel, offsets, *run, verdicts);
    bool chosen = false;
    for (TierVerdict& verdict : verdicts) {
        if (!verdict.possible)
            continue;
        try {
            verdict.verified_instructions = verified_instructions(verdict.tier, plan, kernel);
            verdict.chosen = !chosen;
            if (chosen)
                verdict.reason = passed_over("it loads, but a better tier is used", verdict);
            else
                kernel.witnesses = try_witnesses(verdict.tier, plan);
            chosen = true;
        } catch (const LoadFailure& failure) {
            verdict.reason = failure.what();
            verdict.log_tail = failure.log_tail;
        }
    }
    return verdicts;
}

} // namespace ebpf_loader
