// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/tier_object.hpp"

#include <ebpf_loader/abi/plan.h>

#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/base/object_bytes.hpp"
#include "loader/src/base/signals_blocked.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <linux/bpf.h>
#include <sched.h>
#include <span>
#include <system_error>
#include <thread>

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

bool has_several_cpus() {
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

/// `log`: null for none.
ObjectPtr open(Tier tier, std::span<const char> bytes, const TinyBtf& btf, char* log) {
    const std::string name = "ebpf_telemetry_" + std::string(tier_name(tier));
    bpf_object_open_opts options{};
    options.sz = sizeof(options);
    options.object_name = name.c_str();
    options.btf_custom_path = btf.path();
    if (log) {
        options.kernel_log_buf = log;
        options.kernel_log_size = log_bytes;
    }
    ObjectPtr object(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!object)
        throw LoadFailure(std::string("the object cannot be read: ") + strerror(errno));
    bpf_program* program;
    bpf_object__for_each_program(program, object.get()) bpf_program__set_autoload(program, false);
    return object;
}

void load_object(bpf_object* object, const char* log) {
    const int error = bpf_object__load(object);
    if (!error)
        return;
    const std::string& warning = LibbpfQuiet::first_warning(); // this thread's
    throw LoadFailure("the kernel refused it: " + (warning.empty() ? strerror(-error) : warning),
                      log ? tail_of(log) : std::string());
}

} // namespace

TierObject::TierObject(Tier tier, const TinyBtf& btf) {
    const std::vector<char> bytes = object_to_load(embedded_object(tier));
    maps_ = open(tier, bytes, btf, nullptr);
    parts_.resize(has_several_cpus() ? 2 : 1);
    for (Part& part : parts_) {
        part.log = std::make_unique_for_overwrite<char[]>(log_bytes);
        part.log[0] = '\0';
        part.object = open(tier, bytes, btf, part.log.get());
    }
}

bpf_map* TierObject::map(const char* name) const {
    return bpf_object__find_map_by_name(maps_.get(), name);
}

bpf_program* TierObject::program(const char* name) const {
    for (const Part& part : parts_)
        if (bpf_program* const program = bpf_object__find_program_by_name(part.object.get(), name);
            !program || bpf_program__autoload(program))
            return program;
    return bpf_object__find_program_by_name(maps_.get(), name);
}

void TierObject::for_each_program(const std::function<void(bpf_program*)>& call) const {
    for (const char* name : wanted_)
        call(program(name));
}

/// libbpf finds kernel functions by name only where the kernel has BTF, and fails elsewhere:
/// the objects have a number instead that is no helper's.
void TierObject::enable_direct_reads(int rdonly_cast) {
    for (const Part& part : parts_) {
        bpf_program* program;
        bpf_object__for_each_program(program, part.object.get()) {
            const bpf_insn* const begin = bpf_program__insns(program);
            std::vector<bpf_insn> code(begin, begin + bpf_program__insn_cnt(program));
            for (bpf_insn& instruction : code)
                if (instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == 0 &&
                    instruction.imm == EBT_CALL_RDONLY_CAST) {
                    instruction.src_reg = BPF_PSEUDO_KFUNC_CALL;
                    instruction.imm = rdonly_cast;
                }
            if (const int error = bpf_program__set_insns(program, code.data(), code.size()))
                throw LoadFailure(std::string("the object cannot be changed: ") + strerror(-error));
        }
    }
}

void TierObject::want(const char* program) {
    wanted_.push_back(program);
}

/// The longest first, each to the part that has less.
void TierObject::divide() {
    const auto length = [&](const char* name) {
        return bpf_program__insn_cnt(bpf_object__find_program_by_name(maps_.get(), name));
    };
    std::vector<const char*> names = wanted_;
    std::ranges::stable_sort(names, std::greater(), length);
    for (const char* name : names) {
        Part& part = *std::ranges::min_element(parts_, {}, &Part::instructions);
        part.instructions += length(name);
        bpf_program__set_autoload(bpf_object__find_program_by_name(part.object.get(), name), true);
    }
}

void TierObject::share_maps(const Part& part) const {
    bpf_map* map;
    bpf_object__for_each_map(map, part.object.get()) {
        const int fd = bpf_map__fd(bpf_object__find_map_by_name(maps_.get(), bpf_map__name(map)));
        if (fd < 0)
            bpf_map__set_autocreate(map, false);
        else if (bpf_map__reuse_fd(map, fd))
            throw LoadFailure(std::string("programs cannot share the map ") + bpf_map__name(map) + ": " +
                              strerror(errno));
    }
}

void TierObject::load_programs() {
    std::vector<std::exception_ptr> failures(parts_.size());
    const auto load_part = [&](size_t index) {
        try {
            load_object(parts_[index].object.get(), parts_[index].log.get());
        } catch (...) {
            failures[index] = std::current_exception();
        }
    };
    std::vector<std::jthread> others;
    for (size_t index = 1; index < parts_.size(); index++) {
        const SignalsBlocked blocked;
        try {
            others.emplace_back(load_part, index);
        } catch (const std::system_error&) { // no more threads: one part after the other
            load_part(index);
        }
    }
    load_part(0);
    others.clear();
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

void TierObject::load() {
    divide();
    load_object(maps_.get(), nullptr);
    for (const Part& part : parts_)
        share_maps(part);
    load_programs();
    for (Part& part : parts_)
        part.log.reset();
}

uint64_t TierObject::load_counting() {
    constexpr uint32_t counts_alone = 4; // BPF_LOG_STATS
    constexpr size_t bytes = 4096;
    std::vector<std::unique_ptr<char[]>> logs;
    for (const Part& part : parts_) {
        bpf_program* program;
        bpf_object__for_each_program(program, part.object.get()) {
            logs.push_back(std::make_unique_for_overwrite<char[]>(bytes));
            logs.back()[0] = '\0';
            bpf_program__set_log_level(program, counts_alone);
            bpf_program__set_log_buf(program, logs.back().get(), bytes);
        }
    }
    load();
    uint64_t most = 0;
    for (const auto& log : logs) {
        constexpr std::string_view before = "processed "; // "processed 1234 insns ..."
        const std::string_view text(log.get());
        if (const size_t at = text.rfind(before); at != text.npos)
            most = std::max<uint64_t>(most, strtoull(text.data() + at + before.size(), nullptr, 10));
    }
    return most;
}

} // namespace ebpf_loader
