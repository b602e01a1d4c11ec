// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/syscalls.hpp>

#include <iomanip>
#include <ostream>

namespace ebpf_loader {
namespace {

constexpr int column = 8;

/// Those of every machine.
std::vector<ebt_abi> abis() {
    std::vector<ebt_abi> all;
    for (int abi = 0; abi < EBT_ABIS; abi++)
        if (!abi_name(static_cast<ebt_abi>(abi)).empty())
            all.push_back(static_cast<ebt_abi>(abi));
    return all;
}

void print_number(std::ostream& out, int number) {
    out << std::setw(column);
    if (number < 0)
        out << '-';
    else
        out << number;
}

void print_argument(std::ostream& out, const SyscallRow& call, const Argument& argument) {
    out << kind_name(argument.kind);
    if (argument.kind == ArgKind::flags || argument.kind == ArgKind::enumeration ||
        argument.kind == ArgKind::structure)
        out << ':' << argument.flag_set;
    out << ' ' << argument.name;
    if (argument.kind == ArgKind::path && argument.link != EBT_LINK_CWD)
        out << '@' << call.argument[argument.link].name;
}

void print_signature(std::ostream& out, const SyscallRow& call) {
    out << call.name << '(';
    for (size_t i = 0; i < call.arguments; i++) {
        out << (i == 0 ? "" : ", ");
        print_argument(out, call, call.argument[i]);
    }
    out << ')';
    if (call.returns != ReturnKind::number)
        out << " -> " << return_name(call.returns);
    out << '\n';
}

std::string_view capture_name(uint8_t capture) {
    switch (capture) {
    case EBT_CAPTURE_PATH:
        return "path";
    case EBT_CAPTURE_STRING:
        return "string";
    case EBT_CAPTURE_BYTES:
        return "bytes of";
    case EBT_CAPTURE_WRITTEN:
        return "bytes for the kernel of";
    case EBT_CAPTURE_FILE:
        return "file behind";
    case EBT_CAPTURE_SOCKADDR:
    case EBT_CAPTURE_SOCKADDR_OUT:
    case EBT_CAPTURE_MSGHDR:
        return "address in";
    case EBT_CAPTURE_MESSAGES:
        return "addresses in";
    case EBT_CAPTURE_SOCKET:
        return "both ends of";
    case EBT_CAPTURE_ARGV:
        return "command line";
    default:
        return "?";
    }
}

void print_step(std::ostream& out, const SyscallRow& call, const ebt_step& step) {
    out << capture_name(step.capture) << ' '
        << (step.arg == EBT_ARG_RET ? "result" : call.argument[step.arg].name);
    if (step.when == EBT_ON_SUCCESS)
        out << " (on success)";
    if (step.when == EBT_ON_FAILURE)
        out << " (on failure)";
}

void print_captures(std::ostream& out, const SyscallRow& call) {
    const std::vector<ebt_step> steps = capture_steps(call);
    if (steps.empty())
        return;
    out << std::string(abis().size() * column + 4, ' ') << "captures ";
    if (call.flags & EBT_PLAN_EXEC)
        out << "the new image (on success), ";
    for (size_t i = 0; i < steps.size(); i++) {
        out << (i == 0 ? "" : ", ");
        print_step(out, call, steps[i]);
    }
    out << '\n';
}

} // namespace

void list_syscalls(std::ostream& out) {
    const std::ios_base::fmtflags saved = out.flags();
    out << std::dec << std::right;
    for (const ebt_abi abi : abis())
        out << std::setw(column) << abi_name(abi);
    out << "  call\n";
    for (const SyscallRow& call : syscall_rows()) {
        for (const ebt_abi abi : abis())
            print_number(out, call.number[abi]);
        out << "  ";
        print_signature(out, call);
        print_captures(out, call);
    }
    out.flags(saved);
}

} // namespace ebpf_loader
