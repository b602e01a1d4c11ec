// SPDX-License-Identifier: MIT
#include "telemetry/rights/rights.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/base/log.hpp"
#include "telemetry/rights/aside_thread.hpp"
#include "telemetry/rights/system_calls.hpp"

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;

bool is_own_group(gid_t group) {
    if (group == getegid())
        return true;
    std::vector<gid_t> groups(static_cast<size_t>(std::max(getgroups(0, nullptr), 0)));
    groups.resize(
        static_cast<size_t>(std::max(getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
    return std::ranges::find(groups, group) != groups.end();
}

/// By the folder's mode: to try would leave a file behind, and before Linux 5.8 nothing can be asked for the
/// effective capabilities.
bool may_make_files(const struct stat& folder) {
    constexpr mode_t write_and_search = S_IWOTH | S_IXOTH;
    const int shift = folder.st_uid == geteuid() ? 6 : is_own_group(folder.st_gid) ? 3 : 0;
    return (folder.st_mode >> shift & write_and_search) == write_and_search;
}

/// With the capabilities that are effective now.
bool can_open_anew(const std::string& file) {
    const std::filesystem::path parent = std::filesystem::path(file).parent_path();
    const UniqueFd folder(open(parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (!folder || fstat(folder.get(), &status) != 0 || !may_make_files(status))
        return false;
    if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    return static_cast<bool>(UniqueFd(open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK)));
}

/// Of another thread.
CapabilityMask capabilities_in(const std::filesystem::path& status_file) {
    std::ifstream file(status_file);
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("CapPrm:\t")) {
            CapabilityMask set = 0;
            std::from_chars(line.data() + 8, line.data() + line.size(), set, 16);
            return set;
        }
    return 0; // it has ended
}

/// Capabilities belong to threads, and one could have been started in another way than by start_aside().
void look_at_threads(CapabilityMask kept) {
    await_aside_threads();
    std::error_code error;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error))
        if (const CapabilityMask more = capabilities_in(thread.path() / "status") & ~kept)
            log(LogLevel::warning, "thread " + thread.path().filename().string() +
                                       " has kept capabilities that are not needed: " + names_of(more));
}

CapabilityMask drop_capabilities(const NeededRights& needed) {
    const CapabilityMask permitted = permitted_capabilities();
    CapabilityMask kept = needed.capabilities & permitted;
    empty_bounding_set(); // it needs a capability, and without privileges by executing it changes nothing
    for (const std::string& file : needed.files)
        if (needs_override(file)) {
            log(LogLevel::info,
                file + " can only be opened anew with CAP_DAC_OVERRIDE: it or its folder is another user's");
            kept |= capability(CAP_DAC_OVERRIDE);
        }
    if (!set_capabilities(kept, kept))
        log(LogLevel::warning, "cannot give up capabilities: " + std::string(std::strerror(errno)));
    return kept;
}

} // namespace

bool needs_override(const std::string& file) {
    constexpr CapabilityMask passing = capability(CAP_DAC_OVERRIDE) | capability(CAP_DAC_READ_SEARCH);
    const CapabilityMask permitted = permitted_capabilities();
    if (!(permitted & capability(CAP_DAC_OVERRIDE)))
        return false;
    set_capabilities(permitted, permitted & ~passing);
    const bool needs = !can_open_anew(file);
    set_capabilities(permitted, permitted);
    return needs;
}

void give_up_rights(const NeededRights& needed) {
    const CapabilityMask kept = drop_capabilities(needed);
    look_at_threads(kept | kept_aside());
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const std::string why_not = restrict_system_calls();
    if (!why_not.empty())
        log(LogLevel::warning, "cannot give up system calls: " + why_not);
    log(LogLevel::info, "capabilities from now on: " + names_of(kept) +
                            (why_not.empty() ? "; system calls: those on its list" : ""));
}

void RefusedCalls::log_new() {
    while (const auto call = take_refused_call())
        if (logged_.insert(*call).second)
            log(LogLevel::error,
                "the system call " + *call +
                    " was refused, since it is not on this program's list: please report that; "
                    "--keep-rights lets it pass");
}

} // namespace telemetry
