// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/constants.hpp>

#include <algorithm>
#include <array>

namespace ebpf_loader {
namespace {

constexpr Constant all[] = {
#define CONSTANT(set, name, value) {#set, #name, static_cast<uint64_t>(value)},
#include <ebpf_loader/abi/constants.def>
#undef CONSTANT
};
constexpr size_t count = std::size(all);

struct SetRange {
    std::string_view name;
    size_t first = 0;
    size_t size = 0;
};

constexpr size_t count_sets() {
    size_t sets = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || all[i].set != all[i - 1].set)
            sets++;
    return sets;
}

constexpr auto make_sets() {
    std::array<SetRange, count_sets()> sets{};
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || all[i].set != all[i - 1].set)
            sets[used++] = {all[i].set, i, 0};
        sets[used - 1].size++;
    }
    std::sort(sets.begin(), sets.end(), [](const SetRange& a, const SetRange& b) { return a.name < b.name; });
    return sets;
}

constexpr auto set_index = make_sets();
static_assert(std::adjacent_find(set_index.begin(), set_index.end(),
                                 [](const SetRange& a, const SetRange& b) { return a.name == b.name; }) ==
                  set_index.end(),
              "constants.def: the rows of a set must stand together");

/// Indexes into `all`, in the order of the names.
constexpr auto sort_names() {
    std::array<uint16_t, count> index{};
    for (size_t i = 0; i < count; i++)
        index[i] = static_cast<uint16_t>(i);
    std::sort(index.begin(), index.end(), [](uint16_t a, uint16_t b) {
        return all[a].name != all[b].name ? all[a].name < all[b].name : a < b;
    });
    return index;
}
constexpr auto by_name = sort_names();

} // namespace

std::span<const Constant> constants() {
    return all;
}

std::span<const Constant> constants_of(std::string_view set) {
    auto found =
        std::lower_bound(set_index.begin(), set_index.end(), set,
                         [](const SetRange& range, std::string_view name) { return range.name < name; });
    if (found == set_index.end() || found->name != set)
        return {};
    return constants().subspan(found->first, found->size);
}

std::optional<uint64_t> find_constant(std::string_view set, std::string_view name) {
    auto entry = std::lower_bound(by_name.begin(), by_name.end(), name,
                                  [](uint16_t i, std::string_view wanted) { return all[i].name < wanted; });
    std::optional<uint64_t> value;
    for (; entry != by_name.end() && all[*entry].name == name; ++entry) {
        const Constant& constant = all[*entry];
        if (!set.empty() && constant.set != set)
            continue;
        if (value && *value != constant.value)
            return std::nullopt;
        value = constant.value;
    }
    return value;
}

} // namespace ebpf_loader
