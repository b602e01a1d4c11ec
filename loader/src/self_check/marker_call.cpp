// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/marker_call.hpp"

#include "loader/src/self_check/process.hpp"

#include <ebpf_loader/random.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace ebpf_loader::self_check {
namespace {

/// Owner of the pipe: zeroes fit in too many places.
constexpr uid_t sample_uid = 1236901;
constexpr gid_t sample_gid = 7340987;

/// Beyond the standard descriptors, which may be closed: 0 would be valid flags of dup3.
UniqueFd above_standard(int fd) {
    UniqueFd given(fd);
    if (fd < 0 || fd > STDERR_FILENO)
        return given;
    return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

/// A connected UDP socket: no packet is sent, but both ends are known.
template <typename Address>
UniqueFd connected_socket(Address address, uint16_t& local_port, uint16_t Address::*port) {
    const auto family = *reinterpret_cast<const sa_family_t*>(&address);
    UniqueFd fd = above_standard(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socklen_t length = sizeof(address);
    if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), length) ||
        getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length))
        return UniqueFd(); // no such family, or no loopback: nothing to compare with
    local_port = ntohs(address.*port);
    return fd;
}

std::string hex(const uint8_t* bytes, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; i++) {
        text += "0123456789abcdef"[bytes[i] >> 4];
        text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

const std::string descriptor_fields =
    "task_struct.files, files_struct.fdt, fdtable.fd, fdtable.max_fds, file.f_path";

/// Of a file system whose files have its own device. A number that is 0 is not known, and goes into no event.
void check_device(const ebt_inode& inode, const OwnFile& own, Mismatches& mismatches) {
    if (inode.device)
        mismatches.expect("inode.i_sb, super_block.s_dev", inode.device, own.device);
}

/// The content of a file's field; nullopt, and a mismatch, without one.
std::optional<ebt_inode> file_inode(const RecordView& view, uint8_t arg, Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_FILE, arg);
    ebt_inode inode;
    if (!field || field->content.size() < sizeof(inode)) {
        mismatches.add(descriptor_fields + ", path.mnt, path.dentry", "no file behind an open descriptor",
                       "a file");
        return std::nullopt;
    }
    memcpy(&inode, field->content.data(), sizeof(inode));
    return inode;
}

void check_pipe(const RecordView& view, uint8_t arg, const OwnFile& own, Mismatches& mismatches) {
    const auto inode = file_inode(view, arg, mismatches);
    if (!inode)
        return;
    mismatches.expect(descriptor_fields + ", file.f_inode, inode.i_ino", inode->ino, own.ino);
    mismatches.expect("file.f_inode, inode.i_mode", inode->mode, own.mode);
    mismatches.expect("file.f_inode, inode.i_uid", inode->uid, own.uid);
    mismatches.expect("file.f_inode, inode.i_gid", inode->gid, own.gid);
    if (own.magic && view.find(EBT_FIELD_FILE, arg)->head.flags & EBT_DETACHED)
        mismatches.expect("inode.i_sb, super_block.s_magic", inode->magic, own.magic);
    check_device(*inode, own, mismatches);
}

void check_mounted(const RecordView& view, uint8_t arg, const OwnFile& own, Mismatches& mismatches) {
    const std::string fields =
        "file.f_path, path.mnt, path.dentry, dentry.d_parent, dentry.d_name, qstr.len, "
        "qstr.name, vfsmount.mnt_root, mount.mnt, mount.mnt_parent, "
        "mount.mnt_mountpoint";
    const auto inode = file_inode(view, arg, mismatches);
    if (!inode)
        return;
    const auto field = view.find(EBT_FIELD_FILE, arg);
    if (field->head.status != EBT_OK)
        mismatches.add(fields, "an incomplete path", in_quotes(own.path));
    else
        mismatches.expect(fields, view.path(*field), from_namespace_root(view, own.path));
    mismatches.expect("file.f_inode, inode.i_ino", inode->ino, own.ino);
    mismatches.expect("file.f_inode, inode.i_mode", inode->mode, own.mode);
    check_device(*inode, own, mismatches);
    if (field->head.flags & EBT_DETACHED)
        mismatches.add(fields, "a file that is on no mount", in_quotes(own.path));
    if (field->head.flags & EBT_FOREIGN)
        mismatches.add("task_struct.fs, fs_struct.root, path.mnt, vfsmount.mnt_root, mount.mnt, "
                       "mount.mnt_parent",
                       "a file of another mount namespace", "a file of this one");
}

void check_socket(const RecordView& view, uint8_t arg, uint16_t family, uint16_t local_port,
                  Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_SOCKET, arg);
    ebt_socket socket{};
    if (!field || field->content.size() != sizeof(socket)) {
        mismatches.add(descriptor_fields + ", file.f_inode, inode.i_mode, file.private_data, socket.sk",
                       "no socket behind its descriptor", "a socket");
        return;
    }
    memcpy(&socket, field->content.data(), sizeof(socket));
    const bool v4 = family == AF_INET;
    const size_t bytes = v4 ? sizeof(in_addr) : sizeof(in6_addr);
    const in_addr loopback4{htonl(INADDR_LOOPBACK)};
    const auto* loopback = v4 ? reinterpret_cast<const uint8_t*>(&loopback4)
                              : reinterpret_cast<const uint8_t*>(&in6addr_loopback);
    mismatches.expect("file.private_data, socket.sk, sock.skc_family", socket.family, family);
    mismatches.expect("file.private_data, socket.type", socket.type, SOCK_DGRAM);
    mismatches.expect("socket.sk, sock.sk_protocol", socket.protocol, IPPROTO_UDP);
    mismatches.expect("socket.sk, sock.skc_num", socket.local_port, local_port);
    mismatches.expect("socket.sk, sock.skc_dport", socket.remote_port, Samples::remote_port);
    mismatches.expect(v4 ? "sock.skc_rcv_saddr" : "sock.skc_v6_rcv_saddr", hex(socket.local, bytes),
                      hex(loopback, bytes));
    mismatches.expect(v4 ? "sock.skc_daddr" : "sock.skc_v6_daddr", hex(socket.remote, bytes),
                      hex(loopback, bytes));
}

enum SampleArgument : uint8_t { pipe_arg, inet_arg, file_arg, inet6_arg };

} // namespace

Samples::Samples() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC))
        throw Error(ErrorCode::resources, std::string("cannot make a pipe: ") + strerror(errno));
    pipe = above_standard(ends[0]);
    other_end_ = UniqueFd(ends[1]);
    if (fchown(pipe.get(), sample_uid, sample_gid)) {
        // Not allowed here: it is ours, and that is compared.
    }
    file = above_standard(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    if (!file)
        throw Error(ErrorCode::resources, std::string("cannot open /proc/self/status: ") + strerror(errno) +
                                              "; mount -t proc proc /proc");
    pipe_file_ = own_file(pipe.get(), OwnFile::without_path);
    file_file_ = own_file(file.get(), OwnFile::with_path);
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

void Samples::check(const RecordView& view, Mismatches& mismatches) const {
    check_pipe(view, pipe_arg, pipe_file_, mismatches);
    check_mounted(view, file_arg, file_file_, mismatches);
    if (inet)
        check_socket(view, inet_arg, AF_INET, inet_port, mismatches);
    if (inet6)
        check_socket(view, inet6_arg, AF_INET6, inet6_port, mismatches);
}

MarkerCall::MarkerCall(const Samples& samples) : args_{} {
    args_[pipe_arg] = static_cast<uint64_t>(samples.pipe.get());
    args_[inet_arg] = static_cast<uint32_t>(samples.inet.get());
    args_[file_arg] = static_cast<uint64_t>(samples.file.get()); // where flags belong
    args_[inet6_arg] = static_cast<uint32_t>(samples.inet6.get());
    for (size_t i : {4, 5})
        args_[i] = random_bits();
}

void MarkerCall::send() const {
    syscall(SYS_dup3, args_[0], args_[1], args_[2], args_[3], args_[4], args_[5]);
}

bool MarkerCall::is(const ebt_header& header) const {
    return header.kind == EBT_SYSCALL && header.args[4] == args_[4] && header.args[5] == args_[5];
}

bool MarkerCall::is_32_bit(const ebt_header& header) const {
    return header.kind == EBT_SYSCALL && header.args[4] == static_cast<uint32_t>(args_[4]) &&
           header.args[5] == static_cast<uint32_t>(args_[5]);
}

ebt_plan MarkerCall::plan(uint64_t mask) const {
    ebt_plan plan{};
    plan.predicates = 2;
    plan.predicate[0] = {.value = 4, .operator_ = EBT_EQ, .operand = args_[4] & mask};
    plan.predicate[1] = {
        .value = 5, .operator_ = EBT_EQ, .flags = EBT_CLAUSE_END, .operand = args_[5] & mask};
    plan.steps[0] = 4; // it fails
    plan.step[0][0] = {.capture = EBT_CAPTURE_FILE, .arg = pipe_arg};
    plan.step[0][1] = {.capture = EBT_CAPTURE_SOCKET, .arg = inet_arg};
    plan.step[0][2] = {.capture = EBT_CAPTURE_FILE, .arg = file_arg};
    plan.step[0][3] = {.capture = EBT_CAPTURE_SOCKET, .arg = inet6_arg};
    return plan;
}

ebt_plan MarkerCall::plan() const {
    return plan(UINT64_MAX);
}

ebt_plan MarkerCall::plan_32_bit() const {
    return plan(UINT32_MAX);
}

} // namespace ebpf_loader::self_check
