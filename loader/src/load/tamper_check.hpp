// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/load/witness/kprobe_switches.hpp"

#include <ebpf_loader/engine.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebpf_loader {

/// Compares what the kernel holds of a tier with what was written there: who may use bpf() can change other
/// programs' maps, and so take events away that nobody misses. What programs write themselves (counters, what
/// is known of processes) cannot be compared.
class TamperCheck {
  public:
    /// `witnesses`: the links of the kprobes beside it; empty without.
    TamperCheck(const LoadedTier& tier, std::span<const LinkPtr> witnesses);

    /// Two system calls for each that is selected, of some microseconds. Writes again what differs, and adds
    /// it to what was `found` elsewhere.
    std::vector<Tampering> look(const ebt_settings& settings, std::span<const ebt_endpoint> endpoints,
                                std::vector<Tampering> found);

  private:
    /// A program or map that is in a map.
    struct Member {
        const char* map;
        uint32_t index;
        uint32_t id;
        int fd;
    };
    struct Hook {
        int link_fd;
        uint32_t program_id;
    };

    void note_stages();
    void note_rings();
    void note_hooks(std::span<const LinkPtr> links);
    void look_at_members();
    void look_at_hooks();
    void look_at_switches();
    void look_at_screen();
    void look_at_endpoints(std::span<const ebt_endpoint> endpoints);
    template <typename Value> void look_at(const char* map, uint32_t key, const Value& expected);
    void found(std::string what, bool is_repaired) { found_.push_back({std::move(what), is_repaired}); }

    const LoadedTier& tier_;
    std::vector<Member> members_;
    std::vector<Hook> hooks_;
    std::optional<KprobeSwitches> switches_; ///< with kprobes
    uint64_t connects_ = 0;                  ///< transfer_gate.connects, which only grows
    std::vector<Tampering> found_;
};

} // namespace ebpf_loader
