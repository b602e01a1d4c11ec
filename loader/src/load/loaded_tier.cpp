// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/loaded_tier.hpp"

#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/load/tiny_btf.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

namespace ebpf_loader {
namespace {

/// A program that others reach by tail call.
struct StageProgram {
    const char* name;
    bool (*is_wanted)(const Hooks&);
};

bool always(const Hooks&) {
    return true;
}
bool screened(const Hooks& hooks) {
    return hooks.screens;
}
bool process_ends(const Hooks& hooks) {
    return hooks.exit || hooks.all_processes;
}
bool endpoints(const Hooks& hooks) {
    return hooks.endpoints != 0;
}
bool user_stacks(const Hooks& hooks) {
    return hooks.user_stacks;
}

/// By index in the map `stages`.
constexpr StageProgram stage_programs[] = {
#define STAGE(NAME, name, wanted, ...) {"stage_" #name, wanted},
#include <ebpf_loader/abi/stages.def>
#undef STAGE
};

} // namespace

LoadedTier::LoadedTier(Tier tier, const LoadPlan& plan) : tier_(tier), hooks_(plan.hooks) {
    const LibbpfQuiet quiet;
    Features features = plan.features;
    uses_ring_ = tier_ == Tier::raw_tp && features[Feature::ring_buffer];
    if (!uses_ring_)
        features[Feature::ring_buffer].reset();
    const TinyBtf btf(plan.offsets, features.values()); // libbpf reads it while it loads
    object_ = std::make_unique<TierObject>(tier, btf);
    if (features[Feature::direct_reads])
        object_->enable_direct_reads(plan.rdonly_cast);
    size_maps(plan);
    choose_programs(plan.hooks);
    if (plan.counts)
        counted_ = object_->load_counting();
    else
        object_->load();
    link_stages();
    link_rings();
}

void LoadedTier::size_maps(const LoadPlan& plan) {
    const auto map = [&](const char* name) { return object_->map(name); };
    const auto cpus = static_cast<uint32_t>(libbpf_num_possible_cpus());
    bpf_map__set_max_entries(map("slots"), cpus * EBT_SLOTS);
    bpf_map__set_max_entries(map("scratches"), cpus * EBT_SLOTS);
    constexpr size_t spare_endpoints = 64; // for those that Engine::widen() adds
    bpf_map__set_max_entries(
        map("endpoints"),
        static_cast<uint32_t>(plan.hooks.endpoints ? 2 * plan.hooks.endpoints + spare_endpoints : 1));
    if (uses_ring_)
        make_rings(plan.rings);
    else
        bpf_map__set_max_entries(map("events"), cpus);
    if (bpf_map* rings = map("rings"))
        bpf_map__set_autocreate(rings, !rings_.empty());
    if (!plan.features[Feature::witnesses])
        bpf_map__set_max_entries(map("witnesses"), 1); // never used
    if (!plan.hooks.watch)
        bpf_map__set_max_entries(map("entered_calls"), 1); // never used
    if (!plan.hooks.sharing)
        bpf_map__set_max_entries(map("sharings"), 1); // never used
    if (!plan.features[Feature::rate_limit])
        bpf_map__set_max_entries(map("rates"), 1);                        // never used
    bpf_map__set_max_entries(map("vital_events"), uses_ring_ ? 1 : cpus); // 1: never used
}

void LoadedTier::choose_programs(const Hooks& hooks) {
    const auto want = [&](const char* name, bool wanted) {
        if (wanted)
            object_->want(name);
    };
    want("on_sys_exit", true); // the self-check needs it, whatever is selected
    want("on_sys_enter", hooks.enter || hooks.watch);
    const bool all = hooks.all_processes;
    want("on_enter_execve", hooks.exec_args || all);
    want("on_enter_execveat", hooks.exec_args || all);
    want("on_rename", hooks.renames || all);
    want("on_fork", hooks.fork || hooks.sharing || all);
    want("on_exec", hooks.exec || hooks.exec_args || all);
    want("on_exit", hooks.exit || all);
    want("on_sock_state", hooks.sock_states);
    for (const StageProgram& stage : stage_programs)
        want(stage.name, stage.is_wanted(hooks));
}

void LoadedTier::link_stages() {
    const int stages = map_fd("stages");
    for (uint32_t stage = 0; stage < std::size(stage_programs); stage++) {
        const char* const name = stage_programs[stage].name;
        const int fd = object_->program_fd(name);
        if (fd < 0)
            continue;
        stages_.emplace_back(stage, fd);
        if (bpf_map_update_elem(stages, &stage, &fd, BPF_ANY))
            throw LoadFailure(std::string("cannot join ") + name + " to the programs: " + strerror(errno));
    }
}

int LoadedTier::map_fd(const char* name) const {
    return bpf_map__fd(object_->map(name));
}

void LoadedTier::set(const ebt_settings& settings) {
    write("settings", 0, &settings);
}

void LoadedTier::add_endpoints(std::span<const ebt_endpoint> endpoints) {
    const uint8_t unused = 0;
    for (const ebt_endpoint& endpoint : endpoints)
        if (bpf_map_update_elem(map_fd("endpoints"), &endpoint, &unused, BPF_ANY))
            throw Error(ErrorCode::resources, std::string("cannot write to a map: ") + strerror(errno));
}

size_t LoadedTier::room_for_endpoints() const {
    return bpf_map__max_entries(object_->map("endpoints"));
}

void LoadedTier::set_endpoints(std::span<const ebt_endpoint> endpoints) {
    add_endpoints(endpoints);
    const ebt_transfer_gate gate{.connects = endpoints.empty() ? 0u : 1u};
    write("transfer_gate", 0, &gate);
}

void LoadedTier::forget_endpoints(std::span<const ebt_endpoint> endpoints) {
    for (const ebt_endpoint& endpoint : endpoints)
        bpf_map_delete_elem(map_fd("endpoints"), &endpoint);
}

uint64_t LoadedTier::endpoint_connects() const {
    const uint32_t zero = 0;
    ebt_transfer_gate gate{};
    bpf_map_lookup_elem(map_fd("transfer_gate"), &zero, &gate);
    return gate.connects;
}

void LoadedTier::attach(const char* name) {
    bpf_program* const program = object_->program(name);
    if (!bpf_program__autoload(program))
        return;
    const LibbpfQuiet quiet;
    LinkPtr link(bpf_program__attach(program));
    if (!link) {
        const int error = errno;
        std::string message = std::string("cannot attach ") + name + " to " +
                              bpf_program__section_name(program) + ": " + strerror(error);
        if (error == EEXIST)
            message += "; this kernel takes one program per tracepoint (4.14), and another tool has it: stop "
                       "that tool";
        throw Error(ErrorCode::resources, message);
    }
    links_.push_back(std::move(link));
    attached_.emplace_back(name);
}

bool LoadedTier::is_attached(std::string_view name) const {
    return std::find(attached_.begin(), attached_.end(), name) != attached_.end();
}

void LoadedTier::detach(std::string_view name) {
    const auto found = std::find(attached_.begin(), attached_.end(), name);
    if (found == attached_.end())
        return;
    links_.erase(links_.begin() + (found - attached_.begin()));
    attached_.erase(found);
}

void LoadedTier::attach_all() {
    if (links_.empty())
        attach_selected();
    if (selects_calls())
        attach_exit();
    else
        detach("on_sys_exit"); // which the self-check needed
}

void LoadedTier::attach_selected() {
    // What feeds the hook at the end of calls comes before it.
    struct Hook {
        const char* name;
        bool is_needed;
    };
    for (const Hook& hook : {Hook{"on_fork", hooks_.fork}, Hook{"on_enter_execve", hooks_.exec_args},
                             Hook{"on_enter_execveat", hooks_.exec_args}, Hook{"on_rename", hooks_.renames},
                             Hook{"on_exec", hooks_.exec || hooks_.exec_args}, Hook{"on_exit", hooks_.exit},
                             Hook{"on_sock_state", true}}) {
        if (hook.is_needed)
            attach(hook.name);
        else
            attach_if_possible(hook.name);
    }
    if (hooks_.enter)
        attach_enter();
}

/// Linux 4.14 takes one program a tracepoint, which another tool may have. Sharers are only counted then.
void LoadedTier::attach_if_possible(const char* name) {
    try {
        attach(name);
    } catch (const Error&) {
        return; // see lacks()
    }
}

void LoadedTier::attach_enter() {
    if (!is_attached("on_sys_enter"))
        attach("on_sys_enter");
}

bool LoadedTier::has_exit() const {
    return is_attached("on_sys_exit");
}

void LoadedTier::attach_exit() {
    if (!has_exit())
        attach("on_sys_exit");
}

void LoadedTier::detach() {
    // Detaching waits for the kernel, hook by hook; no more calls are selected meanwhile.
    const ebt_numbers no_rows{};
    for (const auto& [number, rows] : written_numbers_)
        write("numbers", number, &no_rows);
    written_numbers_.clear();
    links_.clear();
    attached_.clear();
    forget_entered_calls();
}

/// What a thread has begun is known only as long as all its calls are seen.
void LoadedTier::forget_entered_calls() {
    const int fd = map_fd("entered_calls");
    for (uint64_t task = 0; !bpf_map_get_next_key(fd, nullptr, &task);)
        bpf_map_delete_elem(fd, &task);
}

} // namespace ebpf_loader
