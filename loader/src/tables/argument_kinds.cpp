// SPDX-License-Identifier: LGPL-2.1
// Derives from the kinds of a call's arguments how wide they are and what is captured.
#include <ebpf_loader/syscalls.hpp>

#include <iterator>
#include <utility>

namespace ebpf_loader {
namespace {

struct KindRow {
    std::string_view name;
    bool is_32_bit;
    bool is_signed;
};

constexpr KindRow kinds[] = {
    // in the order of ArgKind
    {"number", false, false},
    {"integer", true, true},
    {"unsigned_int", true, false},
    {"pointer", false, false},
    {"size", false, false},
    {"offset", false, true},
    {"fd", true, true},
    {"fd_socket", true, true},
    {"fd_number", true, true},
    {"dirfd", true, true},
    {"path", false, false},
    {"path_text", false, false},
    {"path_new_cwd", false, false},
    {"path_new_root", false, false},
    {"string", false, false},
    {"sockaddr", false, false},
    {"sockaddr_out", false, false},
    {"msghdr", false, false},
    {"msghdr_out", false, false},
    {"argv", false, false},
    {"envp", false, false},
    {"flags", true, false},       // also where the kernel takes a long: it looks at no
    {"enumeration", true, false}, // bit above 31 of those that come in a register
    {"mode", true, false},
    {"signal", true, true},
    {"pid", true, true},
    {"uid", true, false},
    {"gid", true, false},
    {"address", false, false},
    {"structure", false, false},
    {"bytes", false, false},
    {"written", false, false},
};
static_assert(std::size(kinds) == static_cast<size_t>(ArgKind::written) + 1);

constexpr std::string_view return_names[] = {"number", "file",    "socket", "fd_number",
                                             "pid",    "pointer", "none"};
static_assert(std::size(return_names) == static_cast<size_t>(ReturnKind::none) + 1);

/// What the process names is captured only where the kernel has nothing better: the file behind a
/// returned descriptor, or the image that runs after an exec.
ebt_when when_named(const SyscallRow& call) {
    bool kernel_knows = call.returns == ReturnKind::file || (call.flags & EBT_PLAN_EXEC);
    return kernel_knows ? EBT_ON_FAILURE : EBT_ALWAYS;
}

/// When accept succeeds, the new connection says more than the socket that listens.
ebt_when when_socket(const SyscallRow& call) {
    return call.returns == ReturnKind::socket ? EBT_ON_FAILURE : EBT_ALWAYS;
}

class Steps {
  public:
    void add(ebt_capture capture, size_t argument, uint8_t link, ebt_when when) {
        steps_.push_back({static_cast<uint8_t>(capture), static_cast<uint8_t>(argument), link,
                          static_cast<uint8_t>(when)});
    }
    std::vector<ebt_step> take() { return std::move(steps_); }

  private:
    std::vector<ebt_step> steps_;
};

void add_returned(Steps& steps, const SyscallRow& call) {
    if (call.returns == ReturnKind::file)
        steps.add(EBT_CAPTURE_FILE, EBT_ARG_RET, 0, EBT_ON_SUCCESS);
    if (call.returns == ReturnKind::socket)
        steps.add(EBT_CAPTURE_SOCKET, EBT_ARG_RET, 0, EBT_ON_SUCCESS);
}

void add_named(Steps& steps, const SyscallRow& call) {
    for (size_t i = 0; i < call.arguments; i++) {
        const Argument& argument = call.argument[i];
        switch (argument.kind) {
        case ArgKind::path:
            steps.add(EBT_CAPTURE_PATH, i, argument.link, when_named(call));
            break;
        case ArgKind::path_text:
            steps.add(EBT_CAPTURE_PATH, i, EBT_LINK_NONE, EBT_ALWAYS);
            break;
        case ArgKind::path_new_cwd:
        case ArgKind::path_new_root:
            steps.add(EBT_CAPTURE_PATH, i, EBT_LINK_CWD, EBT_ON_FAILURE);
            break;
        case ArgKind::string:
            steps.add(EBT_CAPTURE_STRING, i, 0, EBT_ALWAYS);
            break;
        case ArgKind::argv:
            steps.add(EBT_CAPTURE_ARGV, i, 0, when_named(call));
            break;
        case ArgKind::structure:
        case ArgKind::bytes:
            steps.add(EBT_CAPTURE_BYTES, i, argument.link, EBT_ALWAYS);
            break;
        case ArgKind::written:
            steps.add(EBT_CAPTURE_WRITTEN, i, argument.link, EBT_ALWAYS);
            break;
        case ArgKind::fd:
            steps.add(EBT_CAPTURE_FILE, i, 0, EBT_ALWAYS);
            break;
        default:
            break;
        }
    }
}

void add_addresses(Steps& steps, const SyscallRow& call) {
    const ebt_capture messages =
        call.move.kind == EBT_MOVE_MESSAGES ? EBT_CAPTURE_MESSAGES : EBT_CAPTURE_MSGHDR;
    for (size_t i = 0; i < call.arguments; i++) {
        const Argument& argument = call.argument[i];
        switch (argument.kind) {
        case ArgKind::sockaddr:
            steps.add(EBT_CAPTURE_SOCKADDR, i, argument.link, EBT_ALWAYS);
            break;
        case ArgKind::sockaddr_out:
            steps.add(EBT_CAPTURE_SOCKADDR_OUT, i, argument.link, EBT_ON_SUCCESS);
            break;
        case ArgKind::msghdr:
            steps.add(messages, i, 0, EBT_ALWAYS);
            break;
        case ArgKind::msghdr_out:
            steps.add(messages, i, 0, EBT_ON_SUCCESS);
            break;
        default:
            break;
        }
    }
}

void add_sockets(Steps& steps, const SyscallRow& call) {
    for (size_t i = 0; i < call.arguments; i++)
        if (call.argument[i].kind == ArgKind::fd_socket)
            steps.add(EBT_CAPTURE_SOCKET, i, 0, when_socket(call));
}

} // namespace

bool is_path(ArgKind kind) {
    return kind == ArgKind::path || kind == ArgKind::path_text || kind == ArgKind::path_new_cwd ||
           kind == ArgKind::path_new_root;
}

bool is_32_bit(ArgKind kind) {
    return kinds[static_cast<size_t>(kind)].is_32_bit;
}

bool is_signed(ArgKind kind) {
    return kinds[static_cast<size_t>(kind)].is_signed;
}

std::string_view kind_name(ArgKind kind) {
    return kinds[static_cast<size_t>(kind)].name;
}

std::string_view return_name(ReturnKind kind) {
    return return_names[static_cast<size_t>(kind)];
}

std::vector<ebt_step> capture_steps(const SyscallRow& call) {
    Steps steps;
    add_returned(steps, call);
    add_named(steps, call);
    add_addresses(steps, call);
    add_sockets(steps, call);
    return steps.take();
}

} // namespace ebpf_loader
