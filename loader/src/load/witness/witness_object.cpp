// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/witness/witness_object.hpp"

#include "loader/src/base/kernel_btf.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/base/object_bytes.hpp"
#include "loader/src/base/tracing/tracefs.hpp"
#include "loader/src/base/tracing/tracepoint.hpp"
#include "loader/src/load/tiny_btf.hpp"
#include "loader/src/load/witness/kprobe_switches.hpp"
#include "loader/src/load/witness/witness_signatures.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

extern "C" const char ebpf_telemetry_kern_witness_start[];
extern "C" const char ebpf_telemetry_kern_witness_end[];

namespace ebpf_loader {
namespace {

/// A function of the kernel that a program of the object is at: "on_" and its name.
struct Hook {
    const char* function;
    uint16_t kinds; ///< that it serves
    bool needed;    ///< without it these are not witnessed
};

constexpr uint16_t by_descriptor = EBT_WITNESS_ATTRIBUTES | EBT_WITNESS_XATTR;

/// What gives the mount comes before what gives the path, and what ends last is attached last.
constexpr Hook hooks[] = {
    {"mnt_want_write", EBT_WITNESS_PATHS, true},
    {"mnt_want_write_file", by_descriptor, true},
    {"mnt_want_write_file_path", by_descriptor, false},        // of descriptors, up to 4.18
    {"security_path_truncate", EBT_WITNESS_ATTRIBUTES, false}, // of ftruncate(2), up to 6.1
    {"security_file_truncate", EBT_WITNESS_ATTRIBUTES, false}, // since 6.2
    {"security_inode_create", EBT_WITNESS_CREATE, true},
    {"security_inode_unlink", EBT_WITNESS_UNLINK, true},
    {"security_inode_rmdir", EBT_WITNESS_RMDIR, true},
    {"security_inode_mkdir", EBT_WITNESS_MKDIR, true},
    {"security_inode_mknod", EBT_WITNESS_MKNOD, true},
    {"security_inode_symlink", EBT_WITNESS_SYMLINK, true},
    {"security_inode_link", EBT_WITNESS_LINK, true},
    {"security_inode_rename", EBT_WITNESS_RENAME, true},
    {"security_inode_setattr", EBT_WITNESS_ATTRIBUTES, true},
    {"security_inode_setxattr", EBT_WITNESS_XATTR, true},
    {"security_inode_removexattr", EBT_WITNESS_XATTR, true},
    {"security_inode_set_acl", EBT_WITNESS_XATTR, false},    // since 6.2 access lists go their
    {"security_inode_remove_acl", EBT_WITNESS_XATTR, false}, // own way
    {"security_bprm_check", EBT_WITNESS_EXEC, true},
    {"security_socket_connect", EBT_WITNESS_CONNECT, true},
    {"security_socket_bind", EBT_WITNESS_BIND, true},
    {"security_socket_sendmsg", EBT_WITNESS_SEND, true},
};

/// By index in the map `stages`; the object has some of them.
constexpr const char* stages[] = {
#define STAGE(NAME, name, wanted, ...) "stage_" #name,
#include <ebpf_loader/abi/stages.def>
#undef STAGE
};

/// What is attached once io_uring is used, and what notices that it is.
constexpr const char* opened_function = "security_file_open";
constexpr const char* open_program = "on_security_file_open";
constexpr const char* create_program = "on_io_uring_create";
constexpr const char* submit_program = "on_io_uring_submit";

/// Indexes of the map io_uring_counts: rings that were made, and opens that were submitted.
constexpr uint32_t rings = 0, opens = 1;

/// Maps that programs of different types cannot share.
constexpr const char* own_maps[] = {"stages", "witness_stages"};

bpf_program* program_of(bpf_object* object, const char* function) {
    return bpf_object__find_program_by_name(object, ("on_" + std::string(function)).c_str());
}

/// Links to functions by fprobe, which take no perf event, and so less than CAP_SYS_ADMIN where the kernel
/// wants that for one. A kernel of 5.18 or later may be built without: its BTF tells.
bool has_multi_kprobes() {
    const std::shared_ptr<const btf> types = kernel_btf();
    return is_running_since(5, 18) && types &&
           btf__find_by_name_kind(types.get(), "register_fprobe_ips", BTF_KIND_FUNC) > 0;
}

bool has_exec_offsets(const Offsets& offsets) {
    for (const char* name : {"linux_binprm.file", "linux_binprm.filename", "linux_binprm.interp"}) {
        const auto row = Offsets::find(name);
        if (!row || !offsets.get(*row))
            return false;
    }
    return true;
}

std::string why_not_attached(int error) {
    switch (error) {
    case ENOENT:
    case ESRCH:
    case EADDRNOTAVAIL:
        return "this kernel has no such function";
    default:
        return strerror(error);
    }
}

int join(bpf_object* object, const char* map, uint32_t index, const char* program) {
    const int fd = bpf_program__fd(bpf_object__find_program_by_name(object, program));
    return bpf_map_update_elem(bpf_map__fd(bpf_object__find_map_by_name(object, map)), &index, &fd, BPF_ANY);
}

bool has_kprobes() {
    const auto exists = [](const std::string& path) { // access(2) does not count capabilities of a user's own
        std::error_code error;
        return std::filesystem::exists(path, error);
    };
    return exists("/sys/bus/event_source/devices/kprobe/type") ||
           exists(find_tracefs().value_or("") + "/kprobe_events");
}

} // namespace

WitnessObject::WitnessObject(const LoadedTier& tier, const LoadPlan& plan, uint16_t kinds) : kinds_(kinds) {
    if (!has_exec_offsets(plan.offsets))
        kinds_ &= static_cast<uint16_t>(~EBT_WITNESS_EXEC);
    if (!has_kprobes()) { // then its programs need not be verified
        refuse_all("this kernel has no kprobes");
        return;
    }
    const LibbpfQuiet quiet;
    if (const std::string refused = load(tier, plan); !refused.empty()) {
        object_.reset();
        refuse_all(refused);
    }
}

/// Why it cannot be loaded; empty when it is.
std::string WitnessObject::load(const LoadedTier& tier, const LoadPlan& plan) {
    Features features = plan.features;
    if (!tier.uses_ring())
        features[Feature::ring_buffer].reset();
    find_witness_signatures(features);
    for (const char* name : {"io_uring_submit_req", "io_uring_submit_sqe"}) // the second before 6.0
        if (has_tracepoint(plan.tracefs, std::string("io_uring/") + name)) {
            submissions_ = name;
            features[Feature::tp_io_opcode] =
                tracepoint_field(plan.tracefs, std::string("io_uring/") + name, "opcode");
        }
    if (!features[Feature::tp_io_opcode])
        submissions_ = nullptr;                         // 5.1 to 5.4: it opens no files
    const TinyBtf btf(plan.offsets, features.values()); // libbpf reads it while it loads
    bpf_object_open_opts options{};
    options.sz = sizeof(options);
    options.object_name = "ebpf_telemetry_witness";
    options.btf_custom_path = btf.path();
    const std::vector<char> bytes =
        object_to_load(std::span(ebpf_telemetry_kern_witness_start, ebpf_telemetry_kern_witness_end));
    object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!object_)
        return std::string("the object cannot be read: ") + strerror(errno);
    share_maps(tier);
    for (const Hook& hook : hooks)
        bpf_program__set_autoload(program_of(object_.get(), hook.function), (hook.kinds & kinds_) != 0);
    without_perf_events_ = has_multi_kprobes();
    bpf_program* program;
    bpf_object__for_each_program(program, object_.get()) // those that are called, too
        if (without_perf_events_ && bpf_program__type(program) == BPF_PROG_TYPE_KPROBE)
            bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI);
    const bool follows = submissions_ && (kinds_ & EBT_WITNESS_CREATE);
    for (const char* name : {open_program, create_program, submit_program})
        bpf_program__set_autoload(bpf_object__find_program_by_name(object_.get(), name), follows);
    if (const int error = bpf_object__load(object_.get()))
        return "the kernel refused it: " +
               (LibbpfQuiet::first_warning().empty() ? strerror(-error) : LibbpfQuiet::first_warning());
    for (uint32_t stage = 0; stage < std::size(stages); stage++)
        if (bpf_object__find_program_by_name(object_.get(), stages[stage]) &&
            join(object_.get(), "stages", stage, stages[stage]))
            return std::string("cannot connect its programs by tail calls: ") + strerror(errno);
    if (join(object_.get(), "witness_stages", 0, "stage_witness"))
        return std::string("cannot connect its programs by tail calls: ") + strerror(errno);
    return {};
}

void WitnessObject::share_maps(const LoadedTier& tier) {
    bpf_map* map;
    bpf_object__for_each_map(map, object_.get()) {
        const std::string name = bpf_map__name(map);
        const int fd = tier.map_fd(name.c_str());
        if (fd >= 0 && std::ranges::find(own_maps, name) == std::end(own_maps))
            bpf_map__reuse_fd(map, fd);
        else if (name == "rings")
            bpf_map__set_autocreate(map, false);
    }
}

LinkPtr WitnessObject::attach_to(const char* function) const {
    const bpf_program* const program = program_of(object_.get(), function);
    if (!without_perf_events_)
        return LinkPtr(bpf_program__attach(program));
    bpf_kprobe_multi_opts options{};
    options.sz = sizeof(options);
    options.syms = &function;
    options.cnt = 1;
    return LinkPtr(bpf_program__attach_kprobe_multi_opts(program, nullptr, &options));
}

uint16_t WitnessObject::attach() {
    if (!object_)
        return 0;
    verdicts_.clear();
    if (const std::vector<std::string> off = KprobeSwitches().off(); !off.empty()) {
        refuse_all(off[0] + " switches kprobes off");
        return 0;
    }
    const LibbpfQuiet quiet;
    uint16_t attached = kinds_;
    links_.clear();
    for (const Hook& hook : hooks) {
        if (!(hook.kinds & kinds_))
            continue;
        LinkPtr link = attach_to(hook.function);
        if (!link && hook.needed)
            attached &= static_cast<uint16_t>(~hook.kinds);
        verdicts_.push_back({.function = hook.function,
                             .needed = hook.needed,
                             .attached = link != nullptr,
                             .reason = link ? std::string() : why_not_attached(errno)});
        if (link)
            links_.push_back(std::move(link));
    }
    if (attached == 0)
        links_.clear();
    else
        watch_io_uring();
    return attached;
}

void WitnessObject::watch_io_uring() {
    const auto watch = [this](const char* name, const char* tracepoint) {
        bpf_program* program = bpf_object__find_program_by_name(object_.get(), name);
        if (!bpf_program__autoload(program))
            return;
        LinkPtr link(bpf_program__attach_tracepoint(program, "io_uring", tracepoint));
        if (link)
            io_uring_links_.push_back(std::move(link));
    };
    watch(create_program, "io_uring_create");
    watch(submit_program, submissions_);
}

std::optional<uint64_t> WitnessObject::follow_io_uring() {
    if (io_uring_links_.empty())
        return std::nullopt;
    const int counts = bpf_map__fd(bpf_object__find_map_by_name(object_.get(), "io_uring_counts"));
    const auto count = [counts](uint32_t what) {
        uint64_t value = 0;
        bpf_map_lookup_elem(counts, &what, &value);
        return value;
    };
    if (count(rings) == 0 && count(opens) == 0)
        return std::nullopt;
    const LibbpfQuiet quiet;
    LinkPtr link = attach_to(opened_function);
    io_uring_links_.clear();
    if (link)
        links_.push_back(std::move(link));
    return count(opens);
}

void WitnessObject::refuse_all(const std::string& reason) {
    for (const Hook& hook : hooks)
        if (hook.kinds & kinds_)
            verdicts_.push_back({.function = hook.function, .needed = hook.needed, .reason = reason});
}

} // namespace ebpf_loader
