// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/discovery.hpp>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offset_source.hpp>

#include "loader/src/base/kernel_image.hpp"
#include "loader/src/offsets/cache.hpp"

#include <chrono>
#include <unistd.h>

namespace ebpf_loader {
namespace {

using Log = std::function<void(std::string_view)>;

void say(const Log& log, const std::string& line) {
    if (log)
        log(line);
}

/// nullopt without BTF, and with BTF that does not describe enough: newer than libbpf, say.
std::optional<Offsets> from_kernel_btf(const Log& log) {
    if (access(kernel_btf_path().c_str(), F_OK) != 0)
        return std::nullopt;
    try {
        Offsets offsets = Offsets::from_btf();
        require_sound(offsets);
        return offsets;
    } catch (const Error& error) {
        say(log, std::string("cannot use the kernel's BTF: ") + error.what());
        return std::nullopt;
    }
}

Offsets discover(const OffsetCache& cache, const Log& log) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    Offsets offsets = discover_offsets(log);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    // Without 32-bit system calls their mark cannot be found, and the next boot may allow them.
    const bool keep = offsets.get(*Offsets::find("task_struct.status")).has_value();
    if (keep)
        cache.write(offsets);
    say(log, "this kernel has no usable BTF: its offsets were discovered by observation in " +
                 std::to_string(took.count()) + " ms" +
                 (keep ? ", and are kept in " + cache.file()
                       : ", and are not kept, because it accepts no 32-bit system calls now"));
    return offsets;
}

} // namespace

Offsets running_kernel_offsets(const Log& log) {
    if (auto offsets = from_kernel_btf(log))
        return *std::move(offsets);
    const OffsetCache cache(log);
    if (auto offsets = cache.read())
        return *std::move(offsets);
    return discover(cache, log);
}

} // namespace ebpf_loader
