// SPDX-License-Identifier: LGPL-2.1
// What the kernel says of the programs that it has loaded.
#include "loader/src/load/loaded_tier.hpp"

#include <algorithm>
#include <bpf/bpf.h>

namespace ebpf_loader {
namespace {

/// Joins what `get` says of each loaded program.
template <typename Get, typename Join> uint64_t over_programs(const TierObject& object, Get get, Join join) {
    uint64_t result = 0;
    object.for_each_program([&](bpf_program* program) {
        bpf_prog_info info{};
        uint32_t size = sizeof(info);
        if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
            result = join(result, static_cast<uint64_t>(get(info)));
    });
    return result;
}

} // namespace

uint64_t LoadedTier::verified_instructions() const {
    const uint64_t reported = over_programs(
        *object_, [](const bpf_prog_info& info) { return info.verified_insns; },
        [](uint64_t a, uint64_t b) { return std::max(a, b); });
    return std::max(reported, counted_);
}

uint64_t LoadedTier::missed_runs() const {
    return over_programs(
        *object_, [](const bpf_prog_info& info) { return info.recursion_misses; },
        [](uint64_t a, uint64_t b) { return a + b; });
}

} // namespace ebpf_loader
