// SPDX-License-Identifier: MIT
// All that can be selected at once: each tier that should run on this kernel loads with it.
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include <ebpf_loader/offset_source.hpp>

#include "test/kernel/fixture.hpp"

namespace kernel_test {

namespace {

using ebpf_loader::Tier;
using ebpf_loader::TierVerdict;

/// What the kernel of this release takes as its makers released it.
Tier tier_of_release(const std::string& release) {
    std::pair version(0, 0);
    sscanf(release.c_str(), "%d.%d", &version.first, &version.second);
    if (version < std::pair(4, 17) || version >= std::pair(7, 0))
        return Tier::tp;
    if (version < std::pair(5, 2))
        return Tier::raw_tp_sub4096;
    return version < std::pair(5, 3) ? Tier::raw_tp_noloops : Tier::raw_tp;
}

/// Red Hat's kernels keep the number that they began with, and get the eBPF of later ones.
bool may_take_more(std::string_view release) {
    return release.find(".el") != release.npos;
}

class LargestSelectionTest : public testing::Test {
    void TestBody() override {
        const auto given = engine_options(Tier::tp).offsets;
        const auto offsets = given ? *given : ebpf_loader::running_kernel_offsets();
        auto kernel = ebpf_loader::probe_kernel();
        std::optional<Tier> chosen;
        for (const TierVerdict& verdict : ebpf_loader::try_tiers(kernel, offsets)) {
            const bool loads = verdict.chosen || verdict.reason.starts_with("it loads");
            EXPECT_TRUE(loads || !verdict.possible)
                << tier_name(verdict.tier) << ": " << verdict.reason << "\n"
                << verdict.log_tail;
            if (verdict.chosen)
                chosen = verdict.tier;
        }
        ASSERT_TRUE(chosen) << "no tier loads";
        const Tier expected = tier_of_release(kernel.release);
        if (may_take_more(kernel.release))
            EXPECT_GE(*chosen, expected) << tier_name(*chosen);
        else
            EXPECT_EQ(*chosen, expected) << tier_name(*chosen);
    }
};

} // namespace

void register_largest_selection_test() {
    add_test<LargestSelectionTest>("Tiers", "LargestSelectionLoads");
}

} // namespace kernel_test
