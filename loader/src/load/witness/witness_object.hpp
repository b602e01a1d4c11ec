// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <ebpf_loader/witness.hpp>
#include <optional>
#include <vector>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/load/loaded_tier.hpp"

namespace ebpf_loader {

/// The kprobes that witness what the kernel acts on: one object beside a tier's, whose maps it
/// shares. Each of them is optional; what the kernel refuses is left out.
class WitnessObject {
  public:
    /// Loads what these kinds (ebt_witness) need. Does not throw for what this kernel lacks.
    WitnessObject(const LoadedTier& tier, const LoadPlan& plan, uint16_t kinds);

    /// Returns what is witnessed: the kinds of which all that they need is attached.
    uint16_t attach();
    void detach() {
        links_.clear();
        io_uring_links_.clear();
    }
    /// Attaches what io_uring's opens need once a program uses io_uring, and returns how many of
    /// them came before; nullopt otherwise. Every open of the machine pays for it.
    std::optional<uint64_t> follow_io_uring();
    /// follow_io_uring() may still open a perf event for a hook.
    bool may_open_perf_events() const { return !io_uring_links_.empty() && !without_perf_events_; }
    const std::vector<WitnessVerdict>& verdicts() const { return verdicts_; }
    const std::vector<LinkPtr>& links() const { return links_; }

  private:
    std::string load(const LoadedTier& tier, const LoadPlan& plan);
    LinkPtr attach_to(const char* function) const;
    void share_maps(const LoadedTier& tier);
    void refuse_all(const std::string& reason);
    void watch_io_uring();

    ObjectPtr object_; ///< none: the kernel refused it
    std::vector<LinkPtr> links_;
    std::vector<LinkPtr> io_uring_links_; ///< until io_uring is used, if its opens are wanted
    std::vector<WitnessVerdict> verdicts_;
    uint16_t kinds_;
    bool without_perf_events_ = false;  ///< its hooks are kprobe_multi links (Linux 5.18)
    const char* submissions_ = nullptr; ///< io_uring's tracepoint; none: this kernel has no io_uring
};

} // namespace ebpf_loader
