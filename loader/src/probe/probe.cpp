// SPDX-License-Identifier: LGPL-2.1
// What this kernel can: by trying, since distributions move features between versions.
#include <ebpf_loader/probe.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/kernel_btf.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/base/privileges.hpp"
#include "loader/src/base/text.hpp"
#include "loader/src/base/tracing/tracefs.hpp"
#include "loader/src/base/tracing/tracepoint.hpp"
#include "loader/src/probe/trial.hpp"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

namespace ebpf_loader {
namespace {

int read_number(const std::string& file) {
    const std::string text = read_file(file, 32).value_or("");
    int number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// The value of PRETTY_NAME, without its quotes and the backslashes before $ " ` \.
std::string distribution_name() {
    std::optional<std::string> text = read_file("/etc/os-release", 1 << 16);
    if (!text)
        text = read_file("/usr/lib/os-release", 1 << 16);
    constexpr std::string_view key = "\nPRETTY_NAME=";
    const std::string lines = "\n" + text.value_or("");
    const size_t at = lines.find(key);
    if (at == lines.npos)
        return {};
    const size_t start = at + key.size();
    std::string_view value = trim(std::string_view(lines).substr(start, lines.find('\n', start) - start));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
        value = value.substr(1, value.size() - 2);
    std::string name;
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size())
            ++i;
        name += value[i];
    }
    return name;
}

/// A file of securityfs, which need not be mounted: a mount that nobody else sees serves.
/// Empty when the kernel has no such file, nullopt when this process may not look.
std::optional<std::string> read_securityfs(const std::string& name) {
    const std::string securityfs_mount = "/sys/kernel/security";
    struct statfs about {};
    if (statfs(securityfs_mount.c_str(), &about) == 0 && about.f_type == SECURITYFS_MAGIC)
        return read_file(securityfs_mount + "/" + name, 256).value_or("");
    const UniqueFd context(fsopen("securityfs", FSOPEN_CLOEXEC));
    if (!context)
        return errno == ENODEV || errno == ENOSYS ? std::optional<std::string>("") : std::nullopt;
    if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return std::nullopt;
    const UniqueFd folder(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
    if (!folder)
        return std::nullopt;
    return read_file("/proc/self/fd/" + std::to_string(folder.get()) + "/" + name, 256).value_or("");
}

/// No program can find it out by looking, so this goes by the version, and decides no
/// more than which of several tiers that all run is preferred.
bool preempts_raw_tracepoints(const std::string& release) {
    constexpr int first_that_does = 7;
    int version = 0;
    std::from_chars(release.data(), release.data() + release.size(), version);
    return version >= first_that_does;
}

/// The file came with lockdown itself, in Linux 5.4.
void probe_lockdown(KernelSupport& caps) {
    if (std::optional<std::string> state = read_securityfs("lockdown"))
        caps.lockdown_confidentiality = state->find("[confidentiality]") != state->npos;
    else
        caps.unknown.push_back(
            {"lockdown_confidentiality", "securityfs is not mounted, and this process may not mount it"});
}

/// What programs call a function of the kernel by: its number in the kernel's BTF; 0 without.
int find_kernel_function(const char* name) {
    const std::shared_ptr<const btf> types = kernel_btf();
    const int id = types ? btf__find_by_name_kind(types.get(), name, BTF_KIND_FUNC) : 0;
    return id > 0 ? id : 0;
}

/// Tries everything that bpf(2) can show.
class BpfProbe {
  public:
    explicit BpfProbe(KernelSupport& caps) : caps_(caps) {}

    void run() {
        caps_.bpf_syscall = try_bpf_syscall() != Trial::no;
        if (!caps_.bpf_syscall)
            return;
        note(caps_.tracepoint_programs, "tracepoint_programs", try_program_type(BPF_PROG_TYPE_TRACEPOINT));
        note(caps_.raw_tracepoint_programs, "raw_tracepoint_programs",
             try_program_type(BPF_PROG_TYPE_RAW_TRACEPOINT));
        note(caps_.ring_buffer, "ring_buffer", try_map_type(BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 16));
        note(caps_.perf_event_array, "perf_event_array",
             try_map_type(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 1));
        note(caps_.prog_array, "prog_array", try_map_type(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1));
        note(caps_.lru_hash, "lru_hash", try_map_type(BPF_MAP_TYPE_LRU_HASH, 8, 8, 16));
        note(caps_.boot_clock, "boot_clock", try_boot_clock());
        caps_.rdonly_cast = find_kernel_function("bpf_rdonly_cast");
        note(caps_.direct_reads, "direct_reads",
             caps_.rdonly_cast ? try_direct_reads(caps_.rdonly_cast) : Trial::no);
        note(caps_.probe_read_user, "probe_read_user", try_probe_read_user());
        note(caps_.bounded_loops, "bounded_loops", try_bounded_loop());
        const Trial long_program = try_long_program();
        bool accepted = false;
        note(accepted, "instruction_limit", long_program);
        if (long_program != Trial::denied)
            caps_.instruction_limit = accepted ? 1000000 : 4096;
    }

    bool denied() const { return denied_; }

  private:
    void note(bool& capability, const char* key, Trial result) {
        capability = result == Trial::yes;
        if (result != Trial::denied)
            return;
        denied_ = true;
        caps_.unknown.push_back({key, "this process is not allowed to test it"});
    }

    KernelSupport& caps_;
    bool denied_ = false;
};

void probe_privileges(KernelSupport& caps, bool denied) {
    caps.missing_privileges = missing_capabilities();
    if (caps.missing_privileges.empty() && denied)
        caps.missing_privileges = "the bpf system call (a container or a user namespace forbids it, although "
                                  "the capabilities are there)";
    caps.has_privileges = caps.missing_privileges.empty();
}

} // namespace

KernelSupport probe_kernel() {
    const LibbpfQuiet quiet;
    KernelSupport caps;
    caps.release = running_release();
    caps.distribution = distribution_name();
    BpfProbe bpf(caps);
    bpf.run();
    probe_privileges(caps, bpf.denied());
    probe_lockdown(caps);
    caps.raw_tracepoints_preempted = caps.raw_tracepoint_programs && preempts_raw_tracepoints(caps.release);
    caps.btf = access(kernel_btf_path().c_str(), R_OK) == 0;
    caps.tracefs_path = find_tracefs().value_or("");
    caps.tracefs = !caps.tracefs_path.empty();
    caps.held_capabilities = held_capabilities();
    caps.sock_states = caps.tracefs && has_tracepoint(caps.tracefs_path, sock_states_tracepoint);
    // 2: nobody may (6.6). Before that the tracepoints show whether the kernel has it.
    std::error_code error;
    caps.io_uring = caps.tracefs && std::filesystem::exists(caps.tracefs_path + "/events/io_uring", error) &&
                    read_number("/proc/sys/kernel/io_uring_disabled") != 2;
    caps.jit = read_number("/proc/sys/net/core/bpf_jit_enable");
    caps.unprivileged_bpf_disabled = read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
    caps.perf_event_paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
    return caps;
}

} // namespace ebpf_loader
