// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/unix_names.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/self_check/records.hpp"

#include <ebpf_loader/random.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace ebpf_loader::self_check {
namespace {

constexpr uint16_t row_listen = EBT_FIRST_SYSCALL_ROW;

bool are_known(const Offsets& offsets) {
    for (const char* row : {"unix_sock.addr", "unix_address.len", "unix_address.name"})
        if (!offsets.get(*Offsets::find(row)))
            return false;
    return true;
}

/// A socket whose abstract name the kernel chose; the struct sockaddr_un, empty where it gives none.
std::string bind_somewhere(int fd) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto* pointer = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(address);
    if (bind(fd, pointer, sizeof(address.sun_family)) || getsockname(fd, pointer, &length))
        return {};
    return {reinterpret_cast<const char*>(&address), length};
}

/// The call that has this number as its backlog.
ebt_plan plan_of(uint32_t backlog) {
    ebt_plan plan{};
    plan.predicates = 1;
    plan.predicate[0] = {.value = EBT_VALUE_ARG0 + 1,
                         .operator_ = EBT_EQ,
                         .flags = EBT_CLAUSE_END,
                         .shift = 32,
                         .operand = static_cast<uint64_t>(backlog) << 32};
    for (int succeeds = 0; succeeds < 2; ++succeeds) {
        plan.steps[succeeds] = 1;
        plan.step[succeeds][0] = {.capture = EBT_CAPTURE_SOCKET, .arg = 0};
    }
    return plan;
}

} // namespace

void check_unix_names(LoadedTier& tier, RecordSource& source, const Offsets& offsets,
                      Mismatches& mismatches) {
    if (!are_known(offsets))
        return;
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const std::string name = fd ? bind_somewhere(fd.get()) : std::string();
    if (name.empty())
        return; // not allowed here, or there are none
    const uint32_t backlog = random_bits() & INT32_MAX;
    ebt_numbers rows{};
    rows.row[EBT_ABI_SLOT(EBT_NATIVE_ABI)] = row_listen;
    tier.select({{row_listen, plan_of(backlog)}}, {{SYS_listen, rows}});
    listen(fd.get(), static_cast<int>(backlog));
    tier.select({}, {});
    Records records;
    records.read(source);
    const std::string fields = "unix_sock.addr, unix_address.len, unix_address.name";
    const auto view = records.find([&](const ebt_header& h) {
        return h.kind == EBT_SYSCALL && h.row == row_listen && static_cast<uint32_t>(h.args[1]) == backlog;
    });
    if (!view)
        return mismatches.absent(fields, "a listening socket was not seen");
    const auto field = view->find(EBT_FIELD_UNIX_NAME, 0);
    mismatches.expect(fields, field ? std::string(field->content) : std::string(), name);
}

} // namespace ebpf_loader::self_check
