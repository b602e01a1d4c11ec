// SPDX-License-Identifier: MIT
#include "telemetry/process/proc_reader.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "telemetry/base/owned_fd.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t largest_file = 16 * 1024;
constexpr uint32_t pf_exiting = 4; ///< include/linux/sched.h

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const size_t begin = text.find_first_not_of(" \t\n");
        if (begin == text.npos)
            break;
        text.remove_prefix(begin);
        const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

template <class Number> bool parse(std::string_view text, Number& value, int base = 10) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc{} && stop == end;
}

/// What follows "Name:" in a file of such lines.
std::string_view value_of(std::string_view file, std::string_view name) {
    while (!file.empty()) {
        const size_t end = std::min(file.find('\n'), file.size());
        const std::string_view line = file.substr(0, end);
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
            return line.substr(name.size() + 1);
        file.remove_prefix(std::min(end + 1, file.size()));
    }
    return {};
}

bool parse_set(std::string_view status, std::string_view name, uint64_t& set) {
    const auto words = words_of(value_of(status, name));
    return words.size() == 1 && parse(words[0], set, 16);
}

std::optional<Capabilities> parse_capabilities(std::string_view status) {
    Capabilities sets;
    const bool all =
        parse_set(status, "CapInh", sets.inheritable) && parse_set(status, "CapPrm", sets.permitted) &&
        parse_set(status, "CapEff", sets.effective) && parse_set(status, "CapBnd", sets.bounding);
    if (!all)
        return std::nullopt;
    parse_set(status, "CapAmb", sets.ambient); // since 4.3
    return sets;
}

bool parse_four(std::string_view status, std::string_view name, std::array<uint32_t*, 4> out) {
    const auto words = words_of(value_of(status, name));
    if (words.size() != 4)
        return false;
    for (size_t i = 0; i < 4; ++i)
        if (!parse(words[i], *out[i]))
            return false;
    return true;
}

} // namespace

std::optional<std::string> ProcReader::read(uint32_t pid, const char* name) const {
    const std::string path = root_ + '/' + std::to_string(pid) + '/' + name;
    const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return std::nullopt;
    std::string text(largest_file, '\0');
    size_t done = 0;
    while (done < text.size()) {
        const ssize_t part = ::read(file.get(), text.data() + done, text.size() - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return std::nullopt;
        if (part == 0)
            break;
        done += static_cast<size_t>(part);
    }
    text.resize(done);
    return text;
}

/// Fields 4, 9 and 22; the second, the command name, may hold anything.
std::optional<ProcReader::Parentage> ProcReader::parentage(uint32_t pid) const {
    const auto stat = read(pid, "stat");
    const size_t end = stat ? stat->rfind(')') : std::string::npos;
    if (end == std::string::npos)
        return std::nullopt;
    const auto words = words_of(std::string_view(*stat).substr(end + 1));
    Parentage parentage;
    uint32_t flags = 0;
    if (words.size() < 20 || !parse(words[1], parentage.ppid) || !parse(words[6], flags) ||
        !parse(words[19], parentage.start_ticks))
        return std::nullopt;
    parentage.is_exiting = flags & pf_exiting;
    return parentage;
}

/// Lines "ID:CONTROLLERS:PATH"; the unified hierarchy has the id 0 and no controllers.
std::optional<std::string> ProcReader::cgroup(uint32_t pid) const {
    const auto file = read(pid, "cgroup");
    if (!file)
        return std::nullopt;
    std::string_view best;
    bool best_is_container = false;
    for (std::string_view left = *file; !left.empty();) {
        const size_t end = std::min(left.find('\n'), left.size());
        const std::string_view line = left.substr(0, end);
        left.remove_prefix(std::min(end + 1, left.size()));
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
    return std::string(best);
}

std::optional<std::string> ProcReader::cgroup(uint32_t pid, uint64_t start_ticks) const {
    auto path = cgroup(pid);
    return is_still(pid, start_ticks) ? path : std::nullopt;
}

uint32_t ProcReader::namespace_of(uint32_t pid, const char* name) const {
    const std::string path = root_ + '/' + std::to_string(pid) + "/ns/" + name;
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? static_cast<uint32_t>(status.st_ino) : 0;
}

std::optional<ProcessFacts> ProcReader::facts(uint32_t pid, uint64_t start_ticks) const {
    ProcessFacts facts;
    if (const auto path = cgroup(pid))
        facts.set_cgroup(*path);
    if (const auto status = read(pid, "status"))
        facts.capabilities = parse_capabilities(*status);
    Namespaces& spaces = facts.namespaces;
    spaces = {namespace_of(pid, "cgroup"), namespace_of(pid, "ipc"), namespace_of(pid, "mnt"),
              namespace_of(pid, "net"),    namespace_of(pid, "pid"), namespace_of(pid, "user"),
              namespace_of(pid, "uts")};
    if (!is_still(pid, start_ticks))
        return std::nullopt;
    return facts;
}

/// Asked last: what was read before was then of the same process, and whole.
bool ProcReader::is_still(uint32_t pid, uint64_t start_ticks) const {
    const auto now = parentage(pid);
    return now && now->start_ticks == start_ticks && !now->is_exiting;
}

std::optional<ProcReader::Ids> ProcReader::ids(uint32_t pid) const {
    const auto status = read(pid, "status");
    Ids ids;
    if (!status || !parse_four(*status, "Uid", {&ids.uid, &ids.euid, &ids.suid, &ids.fsuid}) ||
        !parse_four(*status, "Gid", {&ids.gid, &ids.egid, &ids.sgid, &ids.fsgid}))
        return std::nullopt;
    return ids;
}

} // namespace telemetry::imds
