// SPDX-License-Identifier: MIT
#pragma once
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/probe.hpp>

/// All tiers, or those that EBT_TIERS in the environment names, separated by commas; with
/// EBT_TIERS=possible, those that this kernel can run.
inline std::vector<std::string> tiers_here() {
    const char* const wanted = getenv("EBT_TIERS");
    std::vector<std::string> all = {"tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"};
    if (!wanted)
        return all;
    if (std::string_view(wanted) != "possible") {
        const std::string list = std::string(",") + wanted + ",";
        std::erase_if(all, [&](const auto& name) { return list.find("," + name + ",") == list.npos; });
        return all;
    }
    std::erase_if(all, [verdicts = ebpf_loader::judge_tiers(ebpf_loader::probe_kernel())](const auto& name) {
        for (const auto& verdict : verdicts)
            if (ebpf_loader::tier_name(verdict.tier) == name)
                return !verdict.possible;
        return true;
    });
    return all;
}
