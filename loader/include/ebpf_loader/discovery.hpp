// SPDX-License-Identifier: LGPL-2.1
// Kernel offsets learnt on the running kernel, for kernels that do not describe themselves.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/api.hpp>
#include <ebpf_loader/offsets.hpp>

namespace ebpf_loader {

/// What observing the running kernel showed.
struct Discovery {
    /// Rows without a value: the kernel lacks the field, or it was refused.
    Offsets offsets;
    /// Fields whose place is in doubt, a sentence each: several places fitted, or this
    /// system does not let us do what would show them.
    std::vector<std::string> refused;
};

/// Finds every offset by observation alone: a small eBPF program reads memory around the
/// task_struct of helper processes, whose ids, credentials, files, mounts, terminal, sockets
/// and end are chosen to be recognised. What is left of them afterwards: nothing. It takes a
/// fraction of a second and root's rights. A place counts once it followed every change of its
/// value and no other did; nothing is guessed. Throws Error where it cannot even begin.
/// The calling thread must not end meanwhile; other threads are not disturbed.
EBPF_LOADER_API Discovery observe_offsets(const std::function<void(std::string_view)>& log = {});

/// The same, complete: throws Error(offsets), naming what was refused, unless every required
/// offset was found.
EBPF_LOADER_API Offsets discover_offsets(const std::function<void(std::string_view)>& log = {});

/// Compares offsets with what was observed: a sentence for each field that differs. Fields
/// that were refused are not compared.
EBPF_LOADER_API std::vector<std::string> contradictions(const Offsets& claimed, const Discovery& observed);

} // namespace ebpf_loader
