// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <iosfwd>
#include <vector>

#include <ebpf_loader/api.hpp>
#include <ebpf_loader/probe.hpp>

namespace ebpf_loader {

/// What this kernel can and what became of each tier, for people.
EBPF_LOADER_API void write_probe_text(std::ostream& out, const KernelSupport& caps,
                                      const std::vector<TierVerdict>& verdicts);

/// The same as one JSON object; its keys stay as they are from release to release.
EBPF_LOADER_API void write_probe_json(std::ostream& out, const KernelSupport& caps,
                                      const std::vector<TierVerdict>& verdicts);

} // namespace ebpf_loader
