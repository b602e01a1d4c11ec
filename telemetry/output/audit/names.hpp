// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "telemetry/event/event.hpp"
#include "telemetry/output/audit/line.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/process/account_names.hpp"

namespace telemetry {

/// What auditd adds to records with log_format=ENRICHED: names for the numbers, behind a byte 0x1d. As
/// there, users and groups are those of the machine, also of processes in containers, and names for
/// which a record has no room are left out.
class AuditNames {
  public:
    explicit AuditNames(std::shared_ptr<const AccountFiles> accounts);
    void refresh() { names_.refresh(); }

    /// The call and how it was made; put_task() follows.
    static void put_call(AuditLine& line, const Event& event);
    /// Of a process as a SYSCALL record has it: `begin` is what stands before AUID=.
    void put_task(AuditLine& line, std::string_view begin, const ProcessNumbers& ids);
    /// Of a record that has uid and auid alone.
    void put_sender(AuditLine& line, uint32_t uid, uint32_t auid);
    /// And of one with auid, uid and gid.
    void put_ended(AuditLine& line, uint32_t auid, uint32_t uid, uint32_t gid);
    void put_owner(AuditLine& line, const InodeInfo& inode);

  private:
    struct Ids {
        std::array<uint32_t, 9> id{};
        uint64_t generation = 0;
        bool operator==(const Ids&) const = default;
    };

    /// Takes back what was put since `begin` where the record has no room for it.
    static void keep_if_it_fits(AuditLine& line, size_t begin);
    void put_user(AuditLine& line, std::string_view field, uint32_t uid);
    void put_group(AuditLine& line, std::string_view field, uint32_t gid);
    void put_name(AuditLine& line, std::string_view field, std::string_view name, uint32_t id);

    CurrentNames names_;
    FragmentCache<Ids, 64> tasks_;
};

} // namespace telemetry
