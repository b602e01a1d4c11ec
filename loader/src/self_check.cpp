// SPDX-License-Identifier: LGPL-2.1
#include "self_check.hpp"

#include "own_process.hpp"
#include "tiny_executable.hpp"
#include <ebpf_loader/record_view.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <optional>
#include <random>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

namespace ebpf_loader {
namespace {

using Clock = std::chrono::steady_clock;
using Record = std::vector<std::byte>;

constexpr int child_status = 37;

/// What was seen and what it should have been, told in one sentence a field.
class Findings {
  public:
    void expect(const char* fields, uint64_t seen, uint64_t expected) {
        if (seen != expected)
            add(fields, std::to_string(seen), std::to_string(expected));
    }
    void expect(const char* fields, const std::string& seen, const std::string& expected) {
        if (seen != expected)
            add(fields, '"' + seen + '"', '"' + expected + '"');
    }
    void add(const char* fields, const std::string& seen, const std::string& expected) {
        text_ += std::string("\n  ") + fields + ": seen " + seen + ", expected " + expected;
    }
    void absent(const char* fields, const char* what) { text_ += std::string("\n  ") + fields + ": " + what; }
    void finish() const {
        if (!text_.empty())
            throw Error(
                ErrorCode::offsets,
                "the kernel offsets are wrong: observing this very process gave" + text_ +
                    "\nMake them anew (cd get_offsets && make conf > ../ebpf_telemetry.conf), or start "
                    "without a config where the kernel has BTF");
    }

  private:
    std::string text_;
};

/// Descriptors that the check looks at: a pipe, sockets of both families, an open file.
struct Samples {
    int pipe[2] = {-1, -1};
    int file = -1;
    int inet = -1, inet6 = -1;
    uint16_t inet_port = 0, inet6_port = 0; ///< local ones
    static constexpr uint16_t remote_port = 30583;

    Samples();
    ~Samples() {
        for (int fd : {pipe[0], pipe[1], file, inet, inet6})
            if (fd >= 0)
                close(fd);
    }
};

/// A connected UDP socket: no packet is sent, but both ends are known.
template <typename Address>
int connected_socket(Address address, uint16_t& local_port, uint16_t Address::*port) {
    const auto family = *reinterpret_cast<const sa_family_t*>(&address);
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof(address);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), length) ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length)) {
        if (fd >= 0)
            close(fd);
        return -1; // no such family, or no loopback: nothing to compare with
    }
    local_port = ntohs(address.*port);
    return fd;
}

Samples::Samples() {
    if (::pipe2(pipe, O_CLOEXEC))
        throw Error(ErrorCode::resources, std::string("cannot make a pipe: ") + strerror(errno));
    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(remote_port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inet = connected_socket(v4, inet_port, &sockaddr_in::sin_port);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(remote_port);
    v6.sin6_addr = in6addr_loopback;
    inet6 = connected_socket(v6, inet6_port, &sockaddr_in6::sin6_port);
}

/// The call that is looked for: an invalid dup3 whose unused arguments carry a secret.
struct Beacon {
    uint64_t secret[2];
    int fd[4];

    Beacon(const Samples& samples) : fd{samples.pipe[0], samples.inet, samples.file, samples.inet6} {
        std::random_device random;
        for (uint64_t& word : secret)
            word = static_cast<uint64_t>(random()) << 32 | random();
    }
    ebt_plan plan() const {
        ebt_plan plan{};
        plan.predicates = 2;
        plan.predicate[0] = {.value = 4, .operator_ = EBT_EQ, .operand = secret[0]};
        plan.predicate[1] = {.value = 5, .operator_ = EBT_EQ, .flags = EBT_CLAUSE_END, .operand = secret[1]};
        plan.steps[0] = 4; // it fails
        plan.step[0][0] = {.capture = EBT_CAPTURE_FILE, .arg = 0};
        plan.step[0][1] = {.capture = EBT_CAPTURE_SOCKET, .arg = 1};
        plan.step[0][2] = {.capture = EBT_CAPTURE_FILE, .arg = 2};
        plan.step[0][3] = {.capture = EBT_CAPTURE_SOCKET, .arg = 3};
        return plan;
    }
    /// A file descriptor as flags is no valid flag: the call does nothing but fail.
    void send() const { syscall(SYS_dup3, fd[0], fd[1], fd[2], fd[3], secret[0], secret[1]); }
    bool is(const ebt_header& header) const {
        return header.kind == EBT_SYSCALL && header.args[4] == secret[0] && header.args[5] == secret[1];
    }
};

/// Reads until a record satisfies `wanted`, two seconds at most.
template <typename Wanted> std::optional<Record> await(Reader& reader, Wanted wanted) {
    const auto deadline = Clock::now() + std::chrono::seconds(2);
    std::optional<Record> found;
    while (!found && Clock::now() < deadline) {
        const size_t records = reader.drain(
            [&](std::span<const std::byte> record) {
                if (!found && wanted(RecordView(record).header(), record))
                    found = Record(record.begin(), record.end());
            },
            true);
        if (!records && !found)
            reader.wait(std::chrono::milliseconds(1));
    }
    return found;
}

void check_identity(const ebt_header& h, const OwnProcess& own, Findings& findings) {
    findings.expect("task_struct.status (system call ABI)", h.abi, EBT_X86_64);
    if (own.initial_pid_namespace) {
        findings.expect("task_struct.tgid, task_struct.pid", h.tgid, own.pid);
        findings.expect("task_struct.real_parent, task_struct.tgid", h.ppid, own.ppid);
    }
    // /proc tells clock ticks.
    findings.expect("task_struct.group_leader, task_struct.start_boottime", h.start_time / own.ns_per_tick,
                    own.start_ticks);
    if (own.initial_user_namespace) {
        const uint32_t seen[] = {h.uid, h.euid, h.suid, h.fsuid, h.gid, h.egid, h.sgid, h.fsgid};
        const char* const fields[] = {"task_struct.cred, cred.uid (uid)",
                                      "cred.uid (euid)",
                                      "cred.uid (suid)",
                                      "cred.uid (fsuid)",
                                      "cred.uid (gid)",
                                      "cred.uid (egid)",
                                      "cred.uid (sgid)",
                                      "cred.fsgid (fsgid)"};
        for (size_t i = 0; i < std::size(seen); i++)
            findings.expect(fields[i], seen[i], own.ids[i]);
        if (own.auid)
            findings.expect("task_struct.loginuid", h.auid, *own.auid);
        if (own.ses)
            findings.expect("task_struct.sessionid", h.ses, *own.ses);
    }
    findings.expect("comm", std::string(h.comm, strnlen(h.comm, sizeof(h.comm))), own.comm);
    if (h.missing)
        findings.add("header", "missing parts " + std::to_string(h.missing), "none");
}

/// /proc tells paths from our root, the engine from the root of the mount namespace.
std::string from_namespace_root(const RecordView& view, const std::string& path) {
    const auto root = view.find(EBT_FIELD_ROOT); // only there when we are chrooted
    return root ? view.path(*root) + (path == "/" ? "" : path) : path;
}

/// Path and inode of a field that has both.
void check_file(const RecordView& view, ebt_field_kind kind, uint8_t arg, const char* fields,
                const OwnFile& own, Findings& findings) {
    const auto field = view.find(kind, arg);
    if (!field || field->head.status != EBT_OK || field->content.size() < sizeof(ebt_inode)) {
        findings.absent(fields, "not to be found");
        return;
    }
    ebt_inode inode;
    memcpy(&inode, field->content.data(), sizeof(inode));
    const std::string path = view.path(*field);
    if (!own.path.empty())
        findings.expect(fields, path, from_namespace_root(view, own.path));
    findings.expect("file.f_inode, inode.i_ino", inode.ino, own.ino);
    findings.expect("inode.i_mode", inode.mode, own.mode);
    findings.expect("inode.i_uid", inode.uid, own.uid);
    findings.expect("inode.i_gid", inode.gid, own.gid);
    if (own.magic)
        findings.expect("inode.i_sb, super_block.s_magic", inode.magic, own.magic);
}

void check_image(const RecordView& view, const OwnProcess& own, Findings& findings) {
    check_file(view, EBT_FIELD_EXE, EBT_ARG_NONE,
               "task_struct.mm, mm_struct.exe_file, file.f_path, path, dentry, qstr, vfsmount, mount",
               own.exe, findings);
    const auto argv = view.find(EBT_FIELD_IMAGE_ARGV);
    findings.expect("mm_struct.arg_start, mm_struct.arg_end", argv ? std::string(argv->content) : "nothing",
                    own.argv.substr(0, argv ? argv->content.size() : 0));
    if (argv && argv->head.status == EBT_OK)
        findings.expect("mm_struct.arg_end", argv->head.length, own.argv.size());
    const auto tty = view.find(EBT_FIELD_TTY);
    if (own.has_tty != tty.has_value())
        findings.add("task_struct.signal, signal_struct.tty", tty ? "a terminal" : "no terminal",
                     own.has_tty ? "a terminal" : "none");
    else if (tty && !own.tty.empty())
        findings.expect("tty_struct.name", std::string(tty->content), own.tty);

    const auto cwd = view.find(EBT_FIELD_CWD);
    findings.expect("task_struct.fs, fs_struct.pwd", cwd ? view.path(*cwd) : "nothing",
                    from_namespace_root(view, own.cwd));
}

void check_socket(const RecordView& view, uint8_t arg, uint16_t family, uint16_t local_port,
                  Findings& findings) {
    const auto field = view.find(EBT_FIELD_SOCKET, arg);
    ebt_socket socket{};
    if (!field || field->content.size() != sizeof(socket)) {
        findings.absent("inode.i_mode, file.private_data, socket.sk", "the socket is not to be found");
        return;
    }
    memcpy(&socket, field->content.data(), sizeof(socket));
    const size_t bytes = family == AF_INET ? 4 : 16;
    const in_addr loopback4{htonl(INADDR_LOOPBACK)};
    const std::string expected(family == AF_INET ? reinterpret_cast<const char*>(&loopback4)
                                                 : reinterpret_cast<const char*>(&in6addr_loopback),
                               bytes);
    const auto address = [&](const uint8_t* at) {
        return std::string(reinterpret_cast<const char*>(at), bytes);
    };
    const auto hex = [](const std::string& raw) {
        std::string text;
        for (unsigned char byte : raw) {
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
        return text;
    };
    const bool v4 = family == AF_INET;
    findings.expect("file.private_data, socket.sk, sock.skc_family", socket.family, family);
    findings.expect("socket.type", socket.type, SOCK_DGRAM);
    findings.expect("sock.sk_protocol", socket.protocol, IPPROTO_UDP);
    findings.expect("sock.skc_num", socket.local_port, local_port);
    findings.expect("sock.skc_dport", socket.remote_port, Samples::remote_port);
    findings.expect(v4 ? "sock.skc_rcv_saddr" : "sock.skc_v6_rcv_saddr", hex(address(socket.local)),
                    hex(expected));
    findings.expect(v4 ? "sock.skc_daddr" : "sock.skc_v6_daddr", hex(address(socket.remote)), hex(expected));
}

/// The process itself, its files and its sockets. Returns its header.
ebt_header check_self(LoadedTier& tier, Reader& reader) {
    const Samples samples;
    const Beacon beacon(samples);
    Findings findings;
    ebt_numbers rows{};
    rows.row[EBT_X86_64] = EBT_FIRST_SYSCALL_ROW;
    tier.set({.self_tgid = 0, .wakeup_bytes = 1});
    tier.select({{EBT_FIRST_SYSCALL_ROW, beacon.plan()}}, {{SYS_dup3, rows}});
    tier.attach_sys_exit();
    beacon.send();
    const auto record = await(reader, [&](const ebt_header& header, auto) { return beacon.is(header); });
    tier.detach();
    if (!record) {
        findings.absent("task_struct.stack, task_struct.status",
                        "a system call of this process was not seen with its own arguments");
        findings.finish();
    }
    const RecordView view(*record);
    const ebt_header& h = view.header();
    const OwnProcess own;
    findings.expect("system call number", static_cast<uint64_t>(h.nr), SYS_dup3);
    findings.expect("system call result", static_cast<uint64_t>(-h.ret), EINVAL);
    for (size_t i = 0; i < std::size(beacon.fd); i++)
        findings.expect("task_struct.stack (arguments)", static_cast<uint32_t>(h.args[i]),
                        static_cast<uint32_t>(beacon.fd[i]));
    check_identity(h, own, findings);
    check_image(view, own, findings);
    const char* const descriptors =
        "task_struct.files, files_struct.fdt, fdtable.fd, fdtable.max_fds, file.f_path";
    check_file(view, EBT_FIELD_FILE, 2, descriptors, own.exe, findings);
    check_file(view, EBT_FIELD_FILE, 0, descriptors, own_file(samples.pipe[0], OwnFile::without_path),
               findings);
    if (samples.inet >= 0)
        check_socket(view, 1, AF_INET, samples.inet_port, findings);
    if (samples.inet6 >= 0)
        check_socket(view, 3, AF_INET6, samples.inet6_port, findings);
    findings.finish();
    return h;
}

/// Ends with child_status.
std::vector<uint8_t> tiny_program() {
    const uint8_t code[] = {0xbf, child_status, 0, 0, 0, // mov edi, status
                            0xb8, 231,          0, 0, 0, // mov eax, exit_group
                            0x0f, 0x05};                 // syscall
    return tiny_executable(code);
}

/// Forks a child that executes the tiny program. Nothing between fork and exec may allocate.
pid_t start_child() {
    const auto program = tiny_program();
    const int memory =
        static_cast<int>(syscall(SYS_memfd_create, "ebpf_telemetry-check", 1u /* MFD_CLOEXEC */));
    if (memory >= 0 && write(memory, program.data(), program.size()) < 0)
        throw Error(ErrorCode::resources,
                    std::string("cannot write a program to memory: ") + strerror(errno));
    char name[] = "ebpf_telemetry-check";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    const pid_t child = fork();
    if (child == 0) {
        syscall(SYS_execveat, memory, "", argv, environment, AT_EMPTY_PATH);
        _exit(child_status + 1);
    }
    if (memory >= 0)
        close(memory);
    return child;
}

ebt_plan process_plan(ebt_value who, uint32_t self) {
    ebt_plan plan{};
    plan.predicates = 1;
    plan.predicate[0] = {
        .value = static_cast<uint8_t>(who), .operator_ = EBT_EQ, .flags = EBT_CLAUSE_END, .operand = self};
    return plan;
}

/// The life of a child: fork, exec, exit. `self` is our header.
void check_child(LoadedTier& tier, Reader& reader, const Hooks& hooks, const ebt_header& self) {
    if (!hooks.exit || !hooks.fork)
        return;
    Findings findings;
    tier.select({{EBT_ROW_FORK, process_plan(EBT_VALUE_PID, self.tgid)},
                 {EBT_ROW_EXIT, process_plan(EBT_VALUE_PPID, self.tgid)}},
                {});
    tier.attach_all();
    const pid_t child = start_child();
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    const uint64_t start_ticks = process_start_ticks(child);
    const bool executed = info.si_status == child_status;
    int status = 0;
    waitpid(child, &status, 0);
    std::optional<Record> forked; // comes first
    const auto ended = await(reader, [&](const ebt_header& h, std::span<const std::byte> record) {
        if (h.kind == EBT_FORK)
            forked = Record(record.begin(), record.end());
        return h.kind == EBT_EXIT;
    });
    tier.detach();

    const auto field = forked ? RecordView(*forked).find(EBT_FIELD_CHILD) : std::nullopt;
    ebt_child seen{};
    if (field && field->content.size() == sizeof(seen)) {
        memcpy(&seen, field->content.data(), sizeof(seen));
        findings.expect("task_struct.children, task_struct.sibling, task_struct.start_boottime (of a child)",
                        seen.start_time / OwnProcess::clock_tick_ns(), start_ticks);
    } else {
        findings.absent("task_struct.pid, task_struct.tgid, task_struct.children, task_struct.sibling",
                        "the fork of a child was not seen");
    }
    if (ended) {
        const ebt_header h = RecordView(*ended).header();
        findings.expect("task_struct.exit_code, signal_struct.flags, signal_struct.group_exit_code",
                        static_cast<uint64_t>(h.ret), static_cast<uint64_t>(status));
        if (executed)
            findings.expect("task_struct.self_exec_id", h.exec_id, self.exec_id + 1);
    } else {
        findings.absent("signal_struct.live", "the exit of a child was not seen");
    }
    findings.finish();
}

} // namespace

uint32_t self_check(LoadedTier& tier, Reader& reader, const Hooks& hooks) {
    const ebt_header self = check_self(tier, reader);
    check_child(tier, reader, hooks, self);
    tier.select({}, {});
    return self.tgid;
}

} // namespace ebpf_loader
