// SPDX-License-Identifier: MIT
#include "telemetry/process/proc_files.hpp"

#include <algorithm>
#include <charconv>

namespace telemetry {
namespace {

constexpr uint32_t pf_exiting = 4, pf_kthread = 0x200000; ///< include/linux/sched.h

/// Takes the next word off a text.
std::string_view next_word(std::string_view& text) {
    const size_t begin = std::min(text.find_first_not_of(" \t\n"), text.size());
    const size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    text.remove_prefix(end);
    return word;
}

template <class Number> bool parse(std::string_view text, Number& value, int base = 10) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc{} && stop == end;
}

/// Takes the next line off a text.
std::string_view next_line(std::string_view& text) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

/// What follows "Name:" in a file of such lines.
std::string_view value_of(std::string_view file, std::string_view name) {
    while (!file.empty()) {
        const std::string_view line = next_line(file);
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
            return line.substr(name.size() + 1);
    }
    return {};
}

bool parse_set(std::string_view status, std::string_view name, uint64_t& set) {
    std::string_view value = value_of(status, name);
    const std::string_view word = next_word(value);
    return parse(word, set, 16) && next_word(value).empty();
}

bool parse_four(std::string_view status, std::string_view name, std::array<uint32_t*, 4> out) {
    std::string_view value = value_of(status, name);
    return std::ranges::all_of(out, [&](uint32_t* number) { return parse(next_word(value), *number); }) &&
           next_word(value).empty();
}

} // namespace

/// The second field, the command name, may hold anything, ")" and blanks included, but nothing
/// after it does.
std::optional<ProcessStat> parse_stat(std::string_view text) {
    const size_t begin = text.find('('), end = text.rfind(')');
    if (begin == text.npos || end == text.npos || end < begin)
        return std::nullopt;
    ProcessStat stat;
    stat.name_length = text.substr(begin + 1, end - begin - 1).copy(stat.name.data(), stat.name.size());
    text.remove_prefix(end + 1);
    uint32_t flags = 0;
    for (int field = 3; field <= 22; ++field) {
        const std::string_view word = next_word(text);
        const bool is_good = field == 4    ? parse(word, stat.ppid)
                             : field == 5  ? parse(word, stat.group)
                             : field == 6  ? parse(word, stat.session)
                             : field == 7  ? parse(word, stat.tty)
                             : field == 9  ? parse(word, flags)
                             : field == 22 ? parse(word, stat.start_ticks)
                                           : !word.empty();
        if (!is_good)
            return std::nullopt;
    }
    stat.is_exiting = flags & pf_exiting;
    stat.is_kernel_thread = flags & pf_kthread;
    return stat;
}

std::optional<ProcessIds> parse_ids(std::string_view status) {
    ProcessIds ids;
    if (!parse_four(status, "Uid", {&ids.uid, &ids.euid, &ids.suid, &ids.fsuid}) ||
        !parse_four(status, "Gid", {&ids.gid, &ids.egid, &ids.sgid, &ids.fsgid}))
        return std::nullopt;
    return ids;
}

std::optional<CapabilitySets> parse_capabilities(std::string_view status) {
    CapabilitySets sets;
    const bool all =
        parse_set(status, "CapInh", sets.inheritable) && parse_set(status, "CapPrm", sets.permitted) &&
        parse_set(status, "CapEff", sets.effective) && parse_set(status, "CapBnd", sets.bounding);
    if (!all)
        return std::nullopt;
    parse_set(status, "CapAmb", sets.ambient); // since 4.3
    return sets;
}

/// Lines "ID:CONTROLLERS:PATH"; the unified hierarchy has the id 0 and no controllers.
std::string_view main_cgroup(std::string_view cgroups) {
    std::string_view best;
    bool best_is_container = false;
    while (!cgroups.empty()) {
        const std::string_view line = next_line(cgroups);
        const size_t first = line.find(':');
        const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos)
            continue;
        const std::string_view path = line.substr(second + 1);
        const bool is_container = !container_of(path).id.empty();
        const bool is_better = is_container > best_is_container ||
                               (is_container == best_is_container && path.size() > best.size());
        if (!is_better)
            continue;
        best = path;
        best_is_container = is_container;
    }
    return best;
}

bool names_controllers(std::string_view cgroups) {
    while (!cgroups.empty())
        if (!next_line(cgroups).starts_with("0::"))
            return true;
    return false;
}

uint32_t namespace_inode(std::string_view link) {
    const size_t bracket = link.find('[');
    uint32_t inode = 0;
    const bool is_good = bracket != link.npos && link.ends_with(']') &&
                         parse(link.substr(bracket + 1, link.size() - bracket - 2), inode);
    return is_good ? inode : 0;
}

} // namespace telemetry
