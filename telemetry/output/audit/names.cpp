// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/names.hpp"

#include "telemetry/output/audit/limits.hpp"

namespace telemetry {
namespace {

constexpr size_t longest_name = 256; // of a user in a passwd file of whatever length

} // namespace

AuditNames::AuditNames(std::shared_ptr<const AccountFiles> accounts) : names_(std::move(accounts)) {}

void AuditNames::keep_if_it_fits(AuditLine& line, size_t begin) {
    if (line.left() == 0) [[unlikely]]
        line.cut(begin);
}

void AuditNames::put_call(AuditLine& line, const Event& event) {
    line.put("\035ARCH=");
    line.put(event.abi == EBT_X32 ? "x86_64" : ebpf_loader::abi_name(event.abi));
    line.put(" SYSCALL=");
    if (event.call) {
        line.put(event.call->name);
    } else {
        line.put("unknown-syscall(");
        line.put_signed(event.nr);
        line.put(')');
    }
}

void AuditNames::put_task(AuditLine& line, std::string_view begin, const ProcessNumbers& ids) {
    const size_t before = line.view().size();
    line.put(begin);
    const Ids key = {
        {ids.auid, ids.uid, ids.gid, ids.euid, ids.suid, ids.fsuid, ids.egid, ids.sgid, ids.fsgid},
        names_.generation()};
    tasks_.put(line, key, ids.uid ^ ids.euid << 3 ^ ids.auid << 1, [&] {
        put_user(line, "AUID=", ids.auid);
        put_user(line, " UID=", ids.uid);
        put_group(line, " GID=", ids.gid);
        put_user(line, " EUID=", ids.euid);
        put_user(line, " SUID=", ids.suid);
        put_user(line, " FSUID=", ids.fsuid);
        put_group(line, " EGID=", ids.egid);
        put_group(line, " SGID=", ids.sgid);
        put_group(line, " FSGID=", ids.fsgid);
    });
    keep_if_it_fits(line, before);
}

void AuditNames::put_sender(AuditLine& line, uint32_t uid, uint32_t auid) {
    const size_t before = line.view().size();
    put_user(line, "\035UID=", uid);
    put_user(line, " AUID=", auid);
    keep_if_it_fits(line, before);
}

void AuditNames::put_ended(AuditLine& line, uint32_t auid, uint32_t uid, uint32_t gid) {
    const size_t before = line.view().size();
    put_user(line, "\035AUID=", auid);
    put_user(line, " UID=", uid);
    put_group(line, " GID=", gid);
    keep_if_it_fits(line, before);
}

void AuditNames::put_owner(AuditLine& line, const InodeInfo& inode) {
    const size_t before = line.view().size();
    put_user(line, "\035OUID=", inode.uid);
    put_group(line, " OGID=", inode.gid);
    keep_if_it_fits(line, before);
}

void AuditNames::put_user(AuditLine& line, std::string_view field, uint32_t uid) {
    put_name(line, field, names_.user(uid), uid);
}

void AuditNames::put_group(AuditLine& line, std::string_view field, uint32_t gid) {
    put_name(line, field, names_.group(gid), gid);
}

void AuditNames::put_name(AuditLine& line, std::string_view field, std::string_view name, uint32_t id) {
    line.put(field);
    if (id == unset) {
        line.put("\"unset\"");
    } else if (name.empty()) {
        line.put("\"unknown(");
        line.put_decimal(id);
        line.put(")\"");
    } else {
        line.put_untrusted(name, AuditRule::strict, longest_name);
    }
}

} // namespace telemetry
