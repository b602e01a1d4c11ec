// SPDX-License-Identifier: MIT
#include "test/object/object_file.hpp"

#include <algorithm>
#include <sstream>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/engine.hpp>
#include <gtest/gtest.h>

namespace object_test {

namespace {

using ebpf_loader::Tier;

std::string object_path(std::string_view name) {
    std::istringstream paths(OBJECTS);
    for (std::string path; std::getline(paths, path, ':');)
        if (path.ends_with("_kern_" + std::string(name) + ".o"))
            return path;
    throw std::runtime_error("no object " + std::string(name));
}

bool is_small(Tier tier) {
    return tier == Tier::tp || tier == Tier::raw_tp_sub4096;
}

class Object : public testing::TestWithParam<Tier> {
  protected:
    const ObjectFile object_{object_path(tier_name(GetParam()))};
};

std::string name_of(const testing::TestParamInfo<Tier>& info) {
    return std::string(tier_name(info.param));
}

INSTANTIATE_TEST_SUITE_P(Tiers, Object,
                         testing::Values(Tier::tp, Tier::raw_tp_sub4096, Tier::raw_tp_noloops, Tier::raw_tp),
                         name_of);

TEST_P(Object, HasAllPrograms) {
    std::vector<std::string> names;
    for (const Program& program : object_.programs()) {
        names.push_back(program.name);
        EXPECT_FALSE(program.instructions.empty()) << program.name;
    }
    for (const char* name : {
             "on_sys_exit",
             "on_sys_enter",
             "on_fork",
             "on_exec",
             "on_exit",
             "on_sock_state",
#define STAGE(NAME, name, ...) "stage_" #name,
#include <ebpf_loader/abi/stages.def>
#undef STAGE
         })
        EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

/// Kernels below 5.2 take no more than 4096 instructions a program.
TEST_P(Object, InstructionsAProgram) {
    for (const Program& program : object_.programs()) {
        const size_t limit = is_small(GetParam()) ? 4096 : 1000000;
        EXPECT_LT(program.instructions.size(), limit) << program.name;
    }
}

/// Kernels below 5.3 take no loop, those below 4.16 no function calls.
TEST_P(Object, LoopsAndCalls) {
    size_t loops = 0;
    for (const Program& program : object_.programs()) {
        EXPECT_FALSE(has_calls(program)) << program.name;
        const bool loop = has_loop(program);
        loops += loop;
        EXPECT_TRUE(!loop || GetParam() == Tier::raw_tp) << program.name;
    }
    EXPECT_EQ(loops > 0, GetParam() == Tier::raw_tp) << "the tier unrolls its loops, or this test is blind";
}

/// Linux 5.3 to 5.9 refuse "math between map_value pointer and register with unbounded min value", older ones
/// the same in other words.
TEST_P(Object, BoundsOutliveNoStay) {
    for (const Program& program : object_.programs())
        for (const size_t at : forgotten_bounds(program))
            ADD_FAILURE() << program.name << ": instruction " << at;
}

/// Kernels below 5.2 have no global data.
TEST_P(Object, NoDataButMaps) {
    for (const std::string& section : object_.sections())
        for (const char* data : {".rodata", ".data", ".bss"})
            EXPECT_FALSE(section.starts_with(data)) << section;
    EXPECT_TRUE(object_.foreign_references().empty()) << object_.foreign_references().front();
}

// What programs of the tracing types may call in 4.14; later ones under names of their own.
const std::set<int32_t> helpers_of_4_14 = {
    BPF_FUNC_map_lookup_elem,  BPF_FUNC_map_update_elem,      BPF_FUNC_map_delete_elem,
    BPF_FUNC_probe_read,       BPF_FUNC_ktime_get_ns,         BPF_FUNC_get_smp_processor_id,
    BPF_FUNC_tail_call,        BPF_FUNC_get_current_pid_tgid, BPF_FUNC_get_current_uid_gid,
    BPF_FUNC_get_current_comm, BPF_FUNC_perf_event_output,    BPF_FUNC_get_current_task,
    BPF_FUNC_probe_read_str,   BPF_FUNC_get_numa_node_id,
};
// These libbpf turns into probe_read and probe_read_str where the kernel lacks them.
const std::set<int32_t> helpers_with_substitutes = {BPF_FUNC_probe_read_user, BPF_FUNC_probe_read_kernel,
                                                    BPF_FUNC_probe_read_user_str,
                                                    BPF_FUNC_probe_read_kernel_str};

TEST_P(Object, HelpersOfTheOldestKernel) {
    for (const Program& program : object_.programs())
        for (const int32_t helper : helpers_without_features(program))
            EXPECT_TRUE(helpers_of_4_14.contains(helper) || helpers_with_substitutes.contains(helper))
                << program.name << " calls helper " << helper << " without asking whether it is there";
}

/// What newer kernels have is used where it is, and nowhere else.
TEST_P(Object, HelpersBehindFeatures) {
    std::set<int32_t> all;
    for (const Program& program : object_.programs())
        all.merge(helpers(program));
    EXPECT_TRUE(all.contains(BPF_FUNC_ktime_get_boot_ns));
    for (const int32_t helper :
         {int32_t{BPF_FUNC_ringbuf_output}, int32_t{BPF_FUNC_ringbuf_query}, int32_t{EBT_CALL_RDONLY_CAST}})
        EXPECT_EQ(all.contains(helper), GetParam() == Tier::raw_tp) << helper;
    for (const int32_t helper : all)
        EXPECT_TRUE(helpers_of_4_14.contains(helper) || helpers_with_substitutes.contains(helper) ||
                    helper == BPF_FUNC_ktime_get_boot_ns || helper == BPF_FUNC_ringbuf_output ||
                    helper == BPF_FUNC_ringbuf_query || helper == EBT_CALL_RDONLY_CAST)
            << helper;
}

/// The classic tier has classic tracepoints alone; the others have two of them, for execs.
TEST_P(Object, ProgramTypes) {
    for (const Program& program : object_.programs()) {
        const bool raw = program.section == "raw_tp" || program.section.starts_with("raw_tp/");
        const bool classic = program.section == "tp" || program.section.starts_with("tp/");
        EXPECT_TRUE(raw || classic) << program.name << " in " << program.section;
        EXPECT_FALSE(raw && GetParam() == Tier::tp) << program.name;
    }
}

/// The kprobes are one object for all kernels: what 4.14 refuses must not be in it.
TEST(WitnessObject, IsForTheOldestKernel) {
    const ObjectFile object(object_path("witness"));
    for (const Program& program : object.programs()) {
        EXPECT_LT(program.instructions.size(), 4096u) << program.name;
        EXPECT_FALSE(has_calls(program) || has_loop(program)) << program.name;
        const bool is_kprobe = program.section == "kprobe" || program.section.starts_with("kprobe/");
        EXPECT_TRUE(is_kprobe || program.section == "tp") << program.name;
        for (const int32_t helper : helpers_without_features(program))
            EXPECT_TRUE(helpers_of_4_14.contains(helper) || helpers_with_substitutes.contains(helper))
                << program.name << " calls helper " << helper;
    }
    for (const std::string& section : object.sections())
        for (const char* data : {".rodata", ".data", ".bss"})
            EXPECT_FALSE(section.starts_with(data)) << section;
}

/// On this kernel: what old ones would refuse for its complexity.
TEST_P(Object, VerifiedInstructions) {
    ebpf_loader::Selection everything;
    for (const ebpf_loader::SyscallRow& row : ebpf_loader::syscall_rows())
        everything.select(row, {}, true);
    for (const ebt_process_row row : {EBT_ROW_FORK, EBT_ROW_EXEC, EBT_ROW_EXIT})
        everything.select_process(row, {}, true);
    const ebt_endpoint endpoint{};
    everything.select_transfers({&endpoint, 1});
    everything.select_stacks();
    everything.select_environment();
    ebpf_loader::EngineOptions options;
    options.tier = GetParam();
    options.events_per_process = 1; // with all that can be switched on
    const ebpf_loader::Engine engine(everything, options);
    const auto chosen = std::find_if(engine.verdicts().begin(), engine.verdicts().end(),
                                     [](const auto& verdict) { return verdict.chosen; });
    ASSERT_NE(chosen, engine.verdicts().end());
    ASSERT_EQ(chosen->tier, GetParam());
    EXPECT_GT(chosen->verified_instructions, 0u);
    EXPECT_LT(chosen->verified_instructions, is_small(GetParam()) ? 131072u : 1000000u);
    RecordProperty("verified_instructions", std::to_string(chosen->verified_instructions));
}

} // namespace

} // namespace object_test
