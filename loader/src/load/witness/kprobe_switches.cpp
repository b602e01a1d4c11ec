// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/witness/kprobe_switches.hpp"

#include "loader/src/base/text.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace ebpf_loader {
namespace {

/// The first stops kprobes at the start of a function, which use ftrace where the kernel can; the
/// second, below debugfs, all of them.
constexpr const char* switches[] = {"/proc/sys/kernel/ftrace_enabled", "/sys/kernel/debug/kprobes/enabled"};

/// A file that is not there, or no longer, switches nothing.
bool is_off(const std::string& file) {
    return read_file(file, 16).value_or("").starts_with("0");
}

} // namespace

KprobeSwitches::KprobeSwitches(const std::string& folder) {
    for (const char* name : switches)
        if (read_file(folder + name, 16))
            files_.push_back(folder + name);
}

std::vector<std::string> KprobeSwitches::off() const {
    std::vector<std::string> found;
    for (const std::string& file : files_)
        if (is_off(file))
            found.push_back(file);
    return found;
}

bool KprobeSwitches::turn_on(const std::string& file) {
    const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return fd && write(fd.get(), "1", 1) == 1 && !is_off(file);
}

} // namespace ebpf_loader
