// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/steps.hpp"

#include "loader/src/base/tracing/tracepoint.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <iterator>
#include <optional>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t cred_bytes = 192;

/// A process of the worker's with ids that nobody else has. Its effective user stays root.
struct ProcessWithIds {
    ProcessWithIds(Setup& s, uint32_t base) : helper(s.worker.spawn()), uid(base), fsgid(base + 6) {
        const uint64_t unchanged = UINT32_MAX;
        helper.must("setresgid", SYS_setresgid, base + 1, base + 2, base + 3);
        helper.must("setfsgid", SYS_setfsgid, fsgid);
        helper.must("setresuid", SYS_setresuid, uid, unchanged, base + 4);
        helper.must("setfsuid", SYS_setfsuid, base + 5);
        helper.call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL); // the change of ids took it away
    }
    HelperProcess& helper;
    uint32_t uid, fsgid;
};

/// Looks a name up as access(2) does: with credentials made for the purpose, which `cred`
/// then leads to, not `real_cred`. The name is in memory that has never been touched, so that
/// the kernel meets a page fault on its way, and exists nowhere.
void check_access(Setup& s, HelperProcess& helper) {
    const std::string name = s.in_scratch("nothing of this name");
    const uint64_t fd = static_cast<uint64_t>(
        s.worker.must("opening a file", SYS_openat, as_argument(AT_FDCWD),
                      s.worker.text(s.in_scratch("name")), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    s.worker.must("setting a file's mode", SYS_fchmod, fd, 0644);
    s.worker.must("writing a name", SYS_write, fd, s.worker.text(name), name.size() + 1);
    const int64_t own = helper.must("opening a file", SYS_openat, as_argument(AT_FDCWD),
                                    helper.text(s.in_scratch("name")), O_RDONLY | O_CLOEXEC);
    const int64_t memory =
        helper.must("mapping a file", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, as_argument(own), 0);
    helper.call(SYS_faccessat, as_argument(AT_FDCWD), static_cast<uint64_t>(memory), 0);
}

/// Distinguishes `cred` from `real_cred`: it is the one that changes while access(2) looks.
std::vector<uint32_t> changing(Setup& s, ProcessWithIds& process, const std::vector<uint32_t>& pointers) {
    const Block task = s.task(process.helper);
    const auto usual = task.at<uint64_t>(pointers[0]);
    for (const char* event : {machine::kernel_page_fault, "kmem/kmem_cache_alloc"}) {
        if (!has_tracepoint(s.tracefs, event))
            continue;
        const PairWatch watch(s.tracefs, event, process.helper.tgid(), pointers[0], pointers[1]);
        check_access(s, process.helper);
        const auto words = watch.words();
        if (!watch.differed())
            continue;
        std::vector<uint32_t> changed;
        for (size_t i = 0; i < words.size(); i++)
            if (words[i] != usual)
                changed.push_back(pointers[i]);
        return changed;
    }
    return pointers;
}

/// cred.cap_permitted, with cap_effective behind it: the processes have lost some of the latter with their
/// user of file systems.
void find_capabilities(Setup& s, const std::vector<ProcessWithIds>& processes,
                       const std::vector<Block>& creds) {
    constexpr int hexadecimal = 16;
    std::vector<Observation> permitted;
    std::vector<uint64_t> effective;
    for (size_t i = 0; i < creds.size(); i++) {
        const std::string status = processes[i].helper.read_file("/proc/self/status");
        permitted.push_back({&creds[i], number_in_status(status, "CapPrm", hexadecimal)});
        effective.push_back(number_in_status(status, "CapEff", hexadecimal));
    }
    // Before 6.3 a set was two words of 32 bits, and need not stand at a multiple of 8.
    auto found = places<uint64_t>(permitted, sizeof(uint32_t));
    std::erase_if(found, [&](uint32_t offset) {
        for (size_t i = 0; i < creds.size(); i++)
            if (!creds[i].has(offset + sizeof(uint64_t), sizeof(uint64_t)) ||
                creds[i].at<uint64_t>(offset + sizeof(uint64_t)) != effective[i])
                return true;
        return false;
    });
    s.found.settle("cred.cap_permitted", std::move(found));
}

} // namespace

void discover_credentials(Setup& s) {
    std::vector<ProcessWithIds> processes;
    for (uint32_t base : {70101, 70201, 70301, 70401})
        processes.emplace_back(s, base);
    std::vector<Block> tasks;
    std::vector<const Block*> blocks;
    for (const ProcessWithIds& process : processes)
        tasks.push_back(s.task(process.helper));
    for (const Block& task : tasks)
        blocks.push_back(&task);
    std::vector<uint32_t> uids, fsgids;
    std::vector<Block> creds; // the same behind each pointer that fits
    const auto pointers = places_if(blocks, 8, [&](size_t offset) {
        std::vector<Block> read;
        for (const Block& task : tasks) {
            if (!is_heap_pointer(task.at<uint64_t>(offset)))
                return false;
            read.push_back(s.memory.read(task.at<uint64_t>(offset), cred_bytes));
        }
        std::vector<Observation> by_uid, by_fsgid;
        for (size_t i = 0; i < read.size(); i++) {
            by_uid.push_back({&read[i], processes[i].uid});
            by_fsgid.push_back({&read[i], processes[i].fsgid});
        }
        const auto uid = places<uint32_t>(by_uid), fsgid = places<uint32_t>(by_fsgid);
        if (uid.empty() || fsgid.empty())
            return false;
        uids = uid;
        fsgids = fsgid;
        creds = std::move(read);
        return true;
    });
    s.found.settle("cred.uid", uids);
    s.found.settle("cred.fsgid", fsgids);
    find_capabilities(s, processes, creds);
    s.found.settle("task_struct.cred", pointers.size() == 2 ? changing(s, processes[0], pointers) : pointers);
}

namespace {

constexpr const char* loginuid_file = "/proc/self/loginuid";
constexpr const char* sessionid_file = "/proc/self/sessionid";

std::optional<uint32_t> number_in(HelperProcess& helper, const char* name) {
    const std::string text = helper.read_file(name);
    uint32_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{})
        return std::nullopt;
    return value;
}

/// Logs the process in, as far as audit is concerned; false when that is not allowed.
bool log_in(HelperProcess& helper, uint32_t loginuid) {
    const std::string text = std::to_string(loginuid);
    const int64_t fd =
        helper.call(SYS_openat, as_argument(AT_FDCWD), helper.text(loginuid_file), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const int64_t written = helper.call(SYS_write, as_argument(fd), helper.text(text), text.size());
    helper.call(SYS_close, as_argument(fd));
    return written > 0;
}

} // namespace

void discover_audit_ids(Setup& s) {
    if (!number_in(s.other, loginuid_file)) {
        s.found.absent("task_struct.loginuid");
        s.found.absent("task_struct.sessionid");
        return;
    }
    std::vector<Block> tasks;
    std::vector<uint32_t> logins, sessions;
    const auto look = [&](HelperProcess& helper) {
        tasks.push_back(s.task(helper));
        logins.push_back(number_in(helper, loginuid_file).value_or(0));
        sessions.push_back(number_in(helper, sessionid_file).value_or(0));
    };
    look(s.other);
    for (uint32_t uid : {70501, 70502, 70503, 70504}) {
        HelperProcess& helper = s.helpers.spawn();
        if (!log_in(helper, uid))
            throw Unobservable("a helper process cannot set its loginuid");
        look(helper);
    }
    std::vector<Observation> login_observations, session_observations;
    for (size_t i = 0; i < tasks.size(); i++) {
        login_observations.push_back({&tasks[i], logins[i]});
        session_observations.push_back({&tasks[i], sessions[i]});
    }
    s.found.settle("task_struct.loginuid", places<uint32_t>(login_observations));
    s.found.settle("task_struct.sessionid", places<uint32_t>(session_observations));
}

} // namespace ebpf_loader::discovery
