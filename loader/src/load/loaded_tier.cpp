// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/loaded_tier.hpp"

#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/base/object_bytes.hpp"
#include "loader/src/load/tiny_btf.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#define EMBEDDED(tier)                                                                                       \
    extern "C" const char ebpf_telemetry_kern_##tier##_start[];                                              \
    extern "C" const char ebpf_telemetry_kern_##tier##_end[];
EMBEDDED(tp)
EMBEDDED(raw_tp_sub4096)
EMBEDDED(raw_tp_noloops)
EMBEDDED(raw_tp)
#undef EMBEDDED

namespace ebpf_loader {
namespace {

std::span<const char> embedded_object(Tier tier) {
#define EMBEDDED(tier)                                                                                       \
    case Tier::tier:                                                                                         \
        return {ebpf_telemetry_kern_##tier##_start, ebpf_telemetry_kern_##tier##_end};
    switch (tier) {
        EMBEDDED(tp)
        EMBEDDED(raw_tp_sub4096)
        EMBEDDED(raw_tp_noloops)
        EMBEDDED(raw_tp)
    }
#undef EMBEDDED
    return {};
}

/// A program that others reach by tail call.
struct StageProgram {
    const char* name;
    bool (*is_wanted)(const Hooks&);
};

bool always(const Hooks&) {
    return true;
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

/// Room for a verifier's log: old kernels refuse a program whose log does not fit, and a
/// buffer of 16 MiB or more. Pages that no log is written to are never resident.
constexpr size_t log_bytes = (16 << 20) - 4096;

/// The last lines of a verifier's log: where it says why.
std::string tail_of(const char* log) {
    constexpr size_t lines = 12;
    const std::string text(log);
    size_t from = text.size();
    for (size_t line = 0; line <= lines && from != 0 && from != std::string::npos; line++)
        from = text.rfind('\n', from - 1);
    return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

} // namespace

LoadedTier::LoadedTier(Tier tier, const LoadPlan& plan)
    : tier_(tier), log_(std::make_unique_for_overwrite<char[]>(log_bytes)), hooks_(plan.hooks) {
    log_[0] = '\0';
    const LibbpfQuiet quiet;
    Features features = plan.features;
    uses_ring_ = tier_ == Tier::raw_tp && features[Feature::ring_buffer];
    if (!uses_ring_)
        features[Feature::ring_buffer].reset();
    const TinyBtf btf(plan.offsets, features.values()); // libbpf reads it while it loads
    open(btf);
    if (features[Feature::direct_reads])
        enable_direct_reads(plan.rdonly_cast);
    size_maps(plan);
    choose_programs(plan.hooks);
    if (plan.counts)
        load_counting();
    else
        load();
    link_stages();
    link_rings();
    log_.reset();
}

void LoadedTier::open(const TinyBtf& btf) {
    const std::string name = "ebpf_telemetry_" + std::string(tier_name(tier_));
    bpf_object_open_opts options{};
    options.sz = sizeof(options);
    options.object_name = name.c_str();
    options.btf_custom_path = btf.path();
    options.kernel_log_buf = log_.get();
    options.kernel_log_size = log_bytes;
    const std::vector<char> bytes = object_to_load(embedded_object(tier_));
    object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!object_)
        throw LoadFailure(std::string("the object cannot be read: ") + strerror(errno), "");
}

/// libbpf finds kernel functions by name only where the kernel has BTF, and fails elsewhere:
/// the objects have a number instead that is no helper's.
void LoadedTier::enable_direct_reads(int rdonly_cast) {
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(object_.get(), program))) {
        const bpf_insn* const begin = bpf_program__insns(program);
        std::vector<bpf_insn> code(begin, begin + bpf_program__insn_cnt(program));
        for (bpf_insn& instruction : code)
            if (instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == 0 &&
                instruction.imm == EBT_CALL_RDONLY_CAST) {
                instruction.src_reg = BPF_PSEUDO_KFUNC_CALL;
                instruction.imm = rdonly_cast;
            }
        if (const int error = bpf_program__set_insns(program, code.data(), code.size()))
            throw LoadFailure(std::string("the object cannot be changed: ") + strerror(-error), "");
    }
}

void LoadedTier::size_maps(const LoadPlan& plan) {
    const auto map = [&](const char* name) { return bpf_object__find_map_by_name(object_.get(), name); };
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
        bpf_program__set_autoload(bpf_object__find_program_by_name(object_.get(), name), wanted);
    };
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

void LoadedTier::load() {
    const int error = bpf_object__load(object_.get());
    if (!error)
        return;
    const std::string& warning = LibbpfQuiet::first_warning();
    throw LoadFailure("the kernel refused it: " + (warning.empty() ? strerror(-error) : warning),
                      tail_of(log_.get()));
}

void LoadedTier::load_counting() {
    constexpr uint32_t counts_alone = 4; // BPF_LOG_STATS
    constexpr size_t bytes = 4096;
    std::vector<std::unique_ptr<char[]>> logs;
    bpf_program* program;
    bpf_object__for_each_program(program, object_.get()) {
        logs.push_back(std::make_unique_for_overwrite<char[]>(bytes));
        logs.back()[0] = '\0';
        bpf_program__set_log_level(program, counts_alone);
        bpf_program__set_log_buf(program, logs.back().get(), bytes);
    }
    load();
    for (const auto& log : logs) {
        constexpr std::string_view before = "processed "; // "processed 1234 insns ..."
        const std::string_view text(log.get());
        if (const size_t at = text.rfind(before); at != text.npos)
            counted_ = std::max<uint64_t>(counted_, strtoull(text.data() + at + before.size(), nullptr, 10));
    }
}

void LoadedTier::link_stages() {
    const int stages = map_fd("stages");
    for (uint32_t stage = 0; stage < std::size(stage_programs); stage++) {
        const char* const name = stage_programs[stage].name;
        const int fd = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
        if (fd < 0)
            continue;
        stages_.emplace_back(stage, fd);
        if (bpf_map_update_elem(stages, &stage, &fd, BPF_ANY))
            throw LoadFailure(std::string("cannot join ") + name + " to the programs: " + strerror(errno),
                              "");
    }
}

int LoadedTier::map_fd(const char* name) const {
    return bpf_map__fd(bpf_object__find_map_by_name(object_.get(), name));
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
    return bpf_map__max_entries(bpf_object__find_map_by_name(object_.get(), "endpoints"));
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
    bpf_program* program = bpf_object__find_program_by_name(object_.get(), name);
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
