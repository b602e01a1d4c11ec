// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/offsets/offset_resolver.hpp"

#include <ebpf_loader/error.hpp>

#include <algorithm>

namespace ebpf_loader {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == text.npos)
            return parts;
        text.remove_prefix(at + 1);
    }
}

size_t count_found(const std::vector<std::optional<uint32_t>>& answers) {
    return static_cast<size_t>(std::ranges::count_if(answers, [](const auto& a) { return a.has_value(); }));
}

} // namespace

std::vector<MemberPath> parse_member_paths(std::string_view text) {
    std::vector<MemberPath> paths;
    for (std::string_view path : split(text, '|')) {
        std::vector<std::string_view> names = split(path, '.');
        paths.push_back({names[0], {names.begin() + 1, names.end()}});
    }
    return paths;
}

OffsetResolver::OffsetResolver() {
    for (const OffsetRow& row : offset_rows())
        paths_.push_back(parse_member_paths(row.paths));
    for (const std::vector<MemberPath>& row : paths_)
        for (const MemberPath& path : row)
            structures_[path.structure].paths.push_back(&path);
}

void OffsetResolver::offer(std::string_view name, const FindMember& find) {
    const auto found = structures_.find(name);
    if (found == structures_.end())
        return;
    Structure& structure = found->second;
    Answers answers;
    for (const MemberPath* path : structure.paths)
        answers.push_back(find(path->members));
    const size_t count = count_found(answers);
    if (structure.best.empty() || count > count_found(structure.best)) {
        structure.best = std::move(answers);
        structure.ambiguous = false;
    } else if (count > 0 && count == count_found(structure.best) && answers != structure.best) {
        structure.ambiguous = true;
    }
}

std::optional<uint32_t> OffsetResolver::answer(size_t row) const {
    for (const MemberPath& path : paths_[row]) {
        const Structure& structure = structures_.at(path.structure);
        const auto at = std::ranges::find(structure.paths, &path) - structure.paths.begin();
        if (!structure.best.empty() && structure.best[at])
            return structure.best[at];
    }
    return std::nullopt;
}

bool OffsetResolver::complete() const {
    for (const auto& [name, structure] : structures_)
        if (structure.best.empty())
            return false;
    for (size_t row = 0; row < paths_.size(); ++row)
        if (offset_rows()[row].required && !answer(row))
            return false;
    return true;
}

void OffsetResolver::store(Offsets& offsets) const {
    for (const auto& [name, structure] : structures_)
        if (structure.ambiguous)
            throw Error(ErrorCode::offsets,
                        offsets.source + " describes several different structures named " +
                            std::string(name) + ".",
                        ErrorCause::btf_ambiguous);
    for (size_t row = 0; row < paths_.size(); ++row)
        offsets.set(row, answer(row));
}

} // namespace ebpf_loader
