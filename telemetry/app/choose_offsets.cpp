// SPDX-License-Identifier: MIT
#include "telemetry/app/choose_offsets.hpp"

#include <filesystem>
#include <sys/utsname.h>
#include <system_error>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offset_source.hpp>

#include "telemetry/base/paths.hpp"
#include "telemetry/base/trusted_file.hpp"

namespace telemetry {

namespace {

using ebpf_loader::Offsets;

std::string running_release() {
    utsname names{};
    return uname(&names) == 0 ? names.release : "";
}

Offsets sound(Offsets offsets, bool any_release) {
    if (!any_release)
        ebpf_loader::require_release(offsets, running_release());
    ebpf_loader::require_sound(offsets);
    return offsets;
}

Offsets from_config(const std::string& file, bool any_release) {
    require_trusted(file, "kernel offsets");
    return sound(Offsets::from_config(file), any_release);
}

/// A config in a default location has to be right too. The message names it, since no option did.
Offsets from_found(const std::string& file, bool any_release) {
    log(LogLevel::info,
        "kernel offsets from " + file + ", a file in a default location (-c none ignores it)");
    if (file == paths::earlier_offsets)
        log(LogLevel::warning, file + " is where earlier versions looked: move it to " + paths::offsets);
    try {
        return from_config(file, any_release);
    } catch (const ebpf_loader::Error& error) {
        throw ebpf_loader::Error(error.code(),
                                 std::string(error.what()) + "\n" + file +
                                     " was used because it is in a default location: remove it, or give -c "
                                     "none to read the offsets from the kernel itself",
                                 error.cause());
    }
}

} // namespace

std::vector<std::string> usual_configs() {
    std::vector<std::string> files;
    std::error_code error;
    auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error)
        files.push_back(program.parent_path().parent_path() / "ebpf_telemetry.conf");
    files.emplace_back(paths::offsets);
    files.emplace_back(paths::earlier_offsets);
    return files;
}

Offsets choose_offsets(const Options& options, const std::vector<std::string>& usual) {
    if (options.vmlinux)
        return sound(Offsets::from_btf(*options.vmlinux), options.any_release);
    if (options.config && *options.config != "none")
        return from_config(*options.config, options.any_release);
    if (!options.config)
        for (const std::string& file : usual)
            if (std::filesystem::exists(file))
                return from_found(file, options.any_release);
    return ebpf_loader::running_kernel_offsets([](std::string_view line) { log(LogLevel::info, line); });
}

} // namespace telemetry
