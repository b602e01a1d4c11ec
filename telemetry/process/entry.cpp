// SPDX-License-Identifier: MIT
#include "telemetry/process/entry.hpp"

#include <array>

#include "telemetry/process/lineage.hpp"

namespace telemetry {
namespace {

/// How a process came in by itself; unknown: it did not, or nothing shows how.
EntryType own_entry(const LineageNode& node) {
    const LineageNode* parent = node.parent.get();
    const std::string& container = node.facts.container.id;
    if (!container.empty() && (!parent || parent->facts.container.id != container))
        return EntryType::container;
    if (!parent || node.session != node.key.pid)
        return EntryType::unknown;
    const std::string_view from = parent->name();
    if (from == "sshd" || from == "sshd-session")
        return EntryType::sshd;
    if (node.has_terminal && (from == "login" || from == "agetty" || from == "getty"))
        return EntryType::terminal;
    return parent->key.pid == 1 ? EntryType::init : EntryType::unknown;
}

} // namespace

std::string_view name_of(EntryType type) {
    static constexpr std::array<std::string_view, 5> names = {"unknown", "init", "sshd", "terminal",
                                                              "container"};
    return names[static_cast<size_t>(type)];
}

void find_entry(const std::shared_ptr<LineageNode>& node) {
    if (const EntryType own = own_entry(*node); own != EntryType::unknown) {
        node->entry_type = own;
        node->entry_leader = node;
    } else if (node->parent) {
        node->entry_type = node->parent->entry_type;
        node->entry_leader = node->parent->entry_leader;
    }
}

} // namespace telemetry
