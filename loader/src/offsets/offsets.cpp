// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include <array>
#include <unordered_map>

namespace ebpf_loader {
namespace {

struct Need {
    bool required, observable;
};
constexpr Need REQUIRED{true, true};
constexpr Need OPTIONAL{false, true};
constexpr Need UNSEEN{false, false};
constexpr auto rows = std::to_array<OffsetRow>({
#define OFFSET(structure, member, need, places, comment)                                                     \
    {#structure, #member, need.required, need.observable, places, comment},
#include <ebpf_loader/abi/offsets.def>
#undef OFFSET
});

std::string full_name(const OffsetRow& row) {
    return std::string(row.structure) + "." + std::string(row.member);
}

std::unordered_map<std::string, size_t> index_by_name() {
    std::unordered_map<std::string, size_t> index;
    for (size_t row = 0; row < rows.size(); ++row)
        index.emplace(full_name(rows[row]), row);
    return index;
}

/// No structure that we read is larger: task_struct is below 16 KiB.
constexpr uint32_t largest_offset = 64 * 1024;

void find_missing(const Offsets& offsets, std::vector<std::string>& found) {
    for (size_t row = 0; row < rows.size(); ++row)
        if (rows[row].required && !offsets.get(row))
            found.push_back(full_name(rows[row]) + " is required, and its offset is unknown.");
}

void find_out_of_range(const Offsets& offsets, std::vector<std::string>& found) {
    for (size_t row = 0; row < rows.size(); ++row)
        if (offsets.get(row).value_or(0) > largest_offset)
            found.push_back(full_name(rows[row]) + " = " + std::to_string(*offsets.get(row)) +
                            " is beyond the end of any kernel structure.");
}

/// No two rows of the table share a place: the kernel has none of them in one union.
void find_overlaps(const Offsets& offsets, std::vector<std::string>& found) {
    for (size_t a = 0; a < rows.size(); ++a)
        for (size_t b = a + 1; b < rows.size(); ++b)
            if (rows[a].structure == rows[b].structure && offsets.get(a) && offsets.get(a) == offsets.get(b))
                found.push_back(full_name(rows[a]) + " and " + full_name(rows[b]) + " cannot both be at " +
                                std::to_string(*offsets.get(a)) + ".");
}

/// The programs read the eight ids of struct cred at once, so they have to be one after another.
void find_scattered_ids(const Offsets& offsets, std::vector<std::string>& found) {
    const std::optional<uint32_t> uid = offsets.get(*Offsets::find("cred.uid"));
    const std::optional<uint32_t> fsgid = offsets.get(*Offsets::find("cred.fsgid"));
    if (uid && fsgid && *fsgid != *uid + 28)
        found.push_back("cred.fsgid = " + std::to_string(*fsgid) +
                        " must be 28 above cred.uid = " + std::to_string(*uid) + ".");
}

} // namespace

std::span<const OffsetRow> offset_rows() {
    return rows;
}

Offsets::Offsets() : values_(rows.size()) {}

std::optional<size_t> Offsets::find(std::string_view name) {
    static const std::unordered_map<std::string, size_t> index = index_by_name();
    auto found = index.find(std::string(name));
    if (found == index.end())
        return std::nullopt;
    return found->second;
}

std::vector<std::string> Offsets::problems() const {
    std::vector<std::string> found;
    find_missing(*this, found);
    find_out_of_range(*this, found);
    find_overlaps(*this, found);
    find_scattered_ids(*this, found);
    return found;
}

void require_sound(const Offsets& offsets) {
    const std::vector<std::string> problems = offsets.problems();
    if (problems.empty())
        return;
    std::string message = "The kernel offsets (" + offsets.source + ") cannot be used:";
    for (const std::string& problem : problems)
        message += "\n  " + problem;
    throw Error(ErrorCode::offsets, message, ErrorCause::offsets_unsound);
}

void require_release(const Offsets& offsets, std::string_view running) {
    if (offsets.release.empty() || offsets.release == running)
        return;
    throw Error(ErrorCode::offsets,
                "The kernel offsets (" + offsets.source + ") are for Linux " + offsets.release +
                    ", and this is Linux " + std::string(running) + ".",
                ErrorCause::other_release);
}

} // namespace ebpf_loader
