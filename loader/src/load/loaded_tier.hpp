// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/engine.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/load/buffers/buffer_sizes.hpp"
#include "loader/src/load/tier_object.hpp"
#include "loader/src/tables/features.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebpf_loader {

/// Which hooks of a tier are wanted.
struct Hooks {
    bool enter = false;     ///< sys_enter: calls that never reach their end
    bool exec_args = false; ///< keep the arguments of execve and execveat
    bool renames = false;   ///< the same, of 32-bit code
    bool fork = false;      ///< processes that start are reported
    bool sharing = false;   ///< who shares something is followed by the same hook
    bool exec = false;
    bool exit = false;
    size_t endpoints = 0;     ///< whose transfers are selected; 0: none
    bool sock_states = false; ///< connections to them that no system call opens
    bool user_stacks = false; ///< of those who send
    bool environment = false; ///< with the images of processes
    bool exe_versions = false;
    bool screens = false;   ///< calls are wanted for certain paths alone
    uint16_t witnesses = 0; ///< ebt_witness, of the calls that are selected
    bool watch = true;      ///< the starts of calls may come to be watched
    /// Those of process events as far as they can be attached, since they may come to be selected.
    bool all_processes = false;
};
Hooks hooks_for(const Selection& selection);

/// What loading needs besides the tier.
struct LoadPlan {
    const Offsets& offsets;
    Features features;
    std::string tracefs;
    Hooks hooks;
    Rings rings;         ///< where the kernel has them
    int rdonly_cast = 0; ///< as in KernelSupport; for the feature direct_reads
    bool counts = false; ///< instructions, by the verifier's log: from Linux 5.2 on
};

/// One tier's object in the kernel. Throws LoadFailure when the kernel refuses it.
class LoadedTier {
  public:
    LoadedTier(Tier tier, const LoadPlan& plan);

    Tier tier() const { return tier_; }
    bool uses_ring() const { return uses_ring_; }
    int map_fd(const char* name) const;
    /// The ring buffers, in the order of their CPUs; where uses_ring().
    std::vector<int> ring_fds() const;
    /// Instructions that the verifier went through for the most demanding program; 0: unknown.
    uint64_t verified_instructions() const;
    /// Runs that the kernel skipped since a program was still running on that CPU.
    uint64_t missed_runs() const;

    using Plans = std::map<uint16_t, ebt_plan>;
    using Numbers = std::map<uint32_t, ebt_numbers>;
    /// Writes plans by row and rows by system call number; what was there before is gone.
    void select(const Plans& plans, const Numbers& numbers);
    /// Of the hooks that these plans need, why they are not there; empty when they are.
    std::string lacks(const Hooks& hooks) const;
    /// See Engine::widen(). Throws Error(usage), and changes nothing, where a number leads to a row in one
    /// selection and to another row in the other.
    void widen(const Plans& plans, const Numbers& numbers, const PathScreen& screen);
    void narrow();
    void set(const ebt_settings& settings);
    /// The paths of the plans that select() writes next.
    void set_screen(const PathScreen& screen);
    /// What kprobes witness (ebt_witness) of the calls that are selected from now on.
    void set_witnessed(uint16_t kinds) { witnessed_ = kinds; }
    uint16_t witnessed() const { return witnessed_; }
    /// Adds endpoints whose transfers are reported, and opens the gate if there are any.
    void set_endpoints(std::span<const ebt_endpoint> endpoints);
    /// To those that are there, while the hooks run.
    void add_endpoints(std::span<const ebt_endpoint> endpoints);
    void forget_endpoints(std::span<const ebt_endpoint> endpoints);
    /// How many there may be at a time.
    size_t room_for_endpoints() const;
    uint64_t endpoint_connects() const;

    const std::map<uint32_t, ebt_numbers>& written_numbers() const { return written_numbers_; }
    const std::map<uint32_t, ebt_plan>& written_plans() const { return written_plans_; }
    const PathScreen& written_screen() const { return written_screen_; }
    const std::vector<std::pair<uint32_t, int>>& stages() const { return stages_; }
    const std::vector<LinkPtr>& links() const { return links_; }

    /// Attaches all hooks that what is selected needs, unless they are. Throws Error.
    void attach_all();
    /// Is any system call selected? Events of processes have hooks of their own.
    bool selects_calls() const { return !written_numbers_.empty(); }
    /// The hook at the end of calls, which each call of the machine pays for.
    bool has_exit() const;
    /// Attaches it, if it is not. Throws Error.
    void attach_exit();
    /// Attaches the hook at the start of calls, if it is not. Throws Error.
    void attach_enter();
    /// Ends capture; what was selected is gone.
    void detach();

  private:
    void size_maps(const LoadPlan& plan);
    void make_rings(const Rings& rings);
    void link_rings();
    void choose_programs(const Hooks& hooks);
    void link_stages();
    void attach(const char* program);
    void attach_selected();
    bool is_attached(std::string_view program) const;
    void detach(std::string_view program);
    void attach_if_possible(const char* program);
    void forget_entered_calls();
    void write(const char* map, uint32_t key, const void* value);
    void write_screen(const PathScreen& screen);

    Tier tier_;
    bool uses_ring_ = false;
    uint64_t counted_ = 0; ///< instructions, by the verifier's logs
    std::unique_ptr<TierObject> object_;
    std::vector<UniqueFd> rings_; ///< where there are several
    std::vector<LinkPtr> links_;
    std::map<uint32_t, ebt_numbers> written_numbers_; ///< as they are in the map
    std::map<uint32_t, ebt_plan> written_plans_;
    std::vector<std::pair<uint32_t, int>> stages_; ///< index and program
    std::map<uint32_t, ebt_numbers> next_numbers_; ///< of widen(), for narrow()
    std::map<uint32_t, ebt_plan> next_plans_;
    PathScreen next_screen_;             ///< likewise
    PathScreen screen_, written_screen_; ///< of the plans in force; as it is in the map
    uint16_t witnessed_ = 0;
    const Hooks hooks_;                 ///< `enter`: whether or not the starts of calls are watched
    std::vector<std::string> attached_; ///< programs, in the order of links_
};

} // namespace ebpf_loader
