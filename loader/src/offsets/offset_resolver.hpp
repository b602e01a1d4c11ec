// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/offsets.hpp>

#include <functional>
#include <unordered_map>

namespace ebpf_loader {

/// Where a field may be: a structure, and the members that lead to it.
struct MemberPath {
    std::string_view structure;
    std::vector<std::string_view> members;
};

/// Splits "sock.__sk_common.skc_num|inet_sock.num", keeping the order.
std::vector<MemberPath> parse_member_paths(std::string_view text);

/// The offsets of all rows, filled in from whatever describes a kernel's structures: the
/// source offers each structure that is wanted, and is asked for its members.
class OffsetResolver {
  public:
    OffsetResolver();

    /// Offset in bytes of a member, by the names that lead to it; nullopt when there is none.
    using FindMember = std::function<std::optional<uint32_t>(const std::vector<std::string_view>&)>;

    bool wants(std::string_view structure) const { return structures_.contains(structure); }
    /// Any number of structures of one name: drivers have a `struct path` too, and the one that
    /// knows most of our members is meant.
    void offer(std::string_view structure, const FindMember& find);
    /// Is every wanted structure there and every required field found? More can only repeat.
    bool complete() const;
    /// Sets each row to the first of its paths that exists. Throws Error(offsets) when two
    /// structures of one name are equally good and differ.
    void store(Offsets& offsets) const;

  private:
    using Answers = std::vector<std::optional<uint32_t>>;
    struct Structure {
        std::vector<const MemberPath*> paths;
        Answers best; ///< by path; empty before the first offer
        bool ambiguous = false;
    };

    std::optional<uint32_t> answer(size_t row) const;

    std::vector<std::vector<MemberPath>> paths_; ///< by row
    std::unordered_map<std::string_view, Structure> structures_;
};

} // namespace ebpf_loader
