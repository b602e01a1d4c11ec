// SPDX-License-Identifier: MIT
#pragma once
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <ebpf_loader/probe.hpp>

/// The tiers in a list with commas; "possible": those that this kernel can run, the most modest first.
/// Throws std::runtime_error for a name that no tier has.
inline std::vector<ebpf_loader::Tier> tiers_named(const std::string& list) {
    std::vector<ebpf_loader::Tier> tiers;
    if (list == "possible") {
        for (const auto& verdict : ebpf_loader::judge_tiers(ebpf_loader::probe_kernel()))
            if (verdict.possible)
                tiers.insert(tiers.begin(), verdict.tier);
        return tiers;
    }
    std::istringstream names(list);
    for (std::string name; std::getline(names, name, ',');) {
        const auto tier = ebpf_loader::parse_tier(name);
        if (!tier)
            throw std::runtime_error("there is no tier " + name);
        tiers.push_back(*tier);
    }
    return tiers;
}

/// What EBT_TIERS in the environment asks for; else all.
inline std::string wanted_tiers() {
    const char* const wanted = getenv("EBT_TIERS");
    return wanted ? wanted : "tp,raw_tp_sub4096,raw_tp_noloops,raw_tp";
}

/// The names of these.
inline std::vector<std::string> tiers_here() {
    std::vector<std::string> names;
    for (const ebpf_loader::Tier tier : tiers_named(wanted_tiers()))
        names.emplace_back(ebpf_loader::tier_name(tier));
    return names;
}
