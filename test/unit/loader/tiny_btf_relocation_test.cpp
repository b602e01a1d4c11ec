// SPDX-License-Identifier: MIT
// What the programs see of the small BTF: compiled with the kernel side's own macros,
// relocated by libbpf, run by the kernel.
#include "loader/src/load/tiny_btf.hpp"

#include "test/unit/support/emulated.hpp"
#include "test/unit/support/temporary_folder.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <memory>

namespace ebpf_loader {
namespace {

constexpr const char* source = R"(
#include "kern/base/base.h"
SEC("socket") int pid(void *ctx) { return OFFSET(task_struct, pid); }
SEC("socket") int mnt(void *ctx) { return OFFSET(path, mnt); }
SEC("socket") int far(void *ctx) { return OFFSET(mm_struct, exe_file); }
SEC("socket") int has_pid(void *ctx) { return HAS(task_struct, pid); }
SEC("socket") int has_loginuid(void *ctx) { return HAS(task_struct, loginuid); }
SEC("socket") int loginuid_or_7(void *ctx)
{
	return HAS(task_struct, loginuid) ? OFFSET(task_struct, loginuid) : 7;
}
SEC("socket") int thread_regs(void *ctx) { return FEATURE(thread_regs); }
SEC("socket") int has_ring(void *ctx) { return HAS_FEATURE(ring_buffer); }
SEC("socket") int has_clock(void *ctx) { return HAS_FEATURE(boot_clock); }
char LICENSE[] SEC("license") = "GPL";
)";

using Results = std::map<std::string, uint32_t>;

/// What each program returns when it is relocated against the small BTF.
Results run_all(const std::string& object_file, const TinyBtf& tiny) {
    bpf_object_open_opts options{};
    options.sz = sizeof options;
    options.btf_custom_path = tiny.path();
    const std::unique_ptr<bpf_object, void (*)(bpf_object*)> object(
        bpf_object__open_file(object_file.c_str(), &options), bpf_object__close);
    if (!object || bpf_object__load(object.get()) != 0)
        throw std::runtime_error("this test needs root: cannot load " + object_file);
    Results results;
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(object.get(), program))) {
        char packet[64] = {};
        LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof packet);
        if (bpf_prog_test_run_opts(bpf_program__fd(program), &run) != 0)
            throw std::runtime_error("cannot run a program");
        results[bpf_program__name(program)] = run.retval;
    }
    return results;
}

TEST(TinyBtfRelocation, ProgramsGetItsOffsets) {
    SKIP_WITHOUT_BPF();
    const TemporaryFolder folder;
    std::ofstream(folder.path() + "/programs.c") << source;
    const std::string command = "cd " + folder.path() +
                                " && " EBT_CLANG " -target bpf -mcpu=v2 -O2 -g -D__TARGET_ARCH_" EBT_KERN_ARCH
                                " -I " SOURCE_DIR " -I /usr/include/" EBT_INCLUDE_ARCH
                                " -c programs.c -o programs.o";
    ASSERT_EQ(std::system(command.c_str()), 0);

    Offsets offsets;
    Features features;
    offsets.set(*Offsets::find("task_struct.pid"), 1176);
    offsets.set(*Offsets::find("path.mnt"), 0);
    offsets.set(*Offsets::find("mm_struct.exe_file"), 60001); // beyond what an instruction's own offset holds
    features[Feature::thread_regs] = 16216;
    features[Feature::boot_clock] = 0;
    Results results = run_all(folder.path() + "/programs.o", TinyBtf(offsets, features.values()));
    EXPECT_EQ(results, (Results{{"pid", 1176},
                                {"mnt", 0},
                                {"far", 60001},
                                {"has_pid", 1},
                                {"has_loginuid", 0},
                                {"loginuid_or_7", 7},
                                {"thread_regs", 16216},
                                {"has_ring", 0},
                                {"has_clock", 1}}));

    offsets.set(*Offsets::find("task_struct.loginuid"), 1768);
    results = run_all(folder.path() + "/programs.o", TinyBtf(offsets, features.values()));
    EXPECT_EQ(results["has_loginuid"], 1u);
    EXPECT_EQ(results["loginuid_or_7"], 1768u);
}

} // namespace
} // namespace ebpf_loader
