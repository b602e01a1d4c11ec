// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/tamper_check.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ebpf_loader {
namespace {

/// Of a program or a map, by its bpf_prog_info or bpf_map_info; 0: not to be had.
template <typename Info> uint32_t id_of(int fd) {
    Info info{};
    uint32_t size = sizeof(info);
    return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

/// Which program a link runs; 0: not to be had, as before Linux 5.8, where an attachment is no link.
uint32_t linked_program(int fd) {
    bpf_link_info info{};
    uint32_t size = sizeof(info);
    return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.prog_id : 0;
}

bool write_again(int map, uint32_t key, const void* value) {
    return bpf_map_update_elem(map, &key, value, BPF_ANY) == 0;
}

} // namespace

TamperCheck::TamperCheck(const LoadedTier& tier, std::span<const LinkPtr> witnesses)
    : tier_(tier), connects_(tier.endpoint_connects()) {
    note_stages();
    note_rings();
    note_hooks(tier_.links());
    note_hooks(witnesses);
    if (!witnesses.empty())
        switches_.emplace();
}

/// From Linux 4.16 on the map of stages says which programs are in it.
void TamperCheck::note_stages() {
    const int map = tier_.map_fd("stages");
    for (const auto& [index, fd] : tier_.stages()) {
        uint32_t id = 0;
        if (bpf_map_lookup_elem(map, &index, &id) == 0 && id == id_of<bpf_prog_info>(fd))
            members_.push_back({"stages", index, id, fd});
    }
}

void TamperCheck::note_rings() {
    const std::vector<int> rings = tier_.uses_ring() ? tier_.ring_fds() : std::vector<int>();
    if (rings.size() < 2)
        return; // the only one is in no map
    for (uint32_t group = 0; group < rings.size(); group++)
        members_.push_back({"rings", group, id_of<bpf_map_info>(rings[group]), rings[group]});
}

void TamperCheck::note_hooks(std::span<const LinkPtr> links) {
    for (const LinkPtr& link : links) {
        const int fd = bpf_link__fd(link.get());
        if (const uint32_t id = linked_program(fd))
            hooks_.push_back({fd, id});
    }
}

std::vector<Tampering> TamperCheck::look(const ebt_settings& settings,
                                         std::span<const ebt_endpoint> endpoints,
                                         std::vector<Tampering> found) {
    found_ = std::move(found);
    look_at("settings", 0, settings);
    for (const auto& [number, rows] : tier_.written_numbers())
        look_at("numbers", number, rows);
    for (const auto& [row, plan] : tier_.written_plans())
        look_at("plans", row, plan);
    look_at_screen();
    look_at_endpoints(endpoints);
    look_at_members();
    look_at_hooks();
    look_at_switches();
    return std::move(found_);
}

template <typename Value> void TamperCheck::look_at(const char* map, uint32_t key, const Value& expected) {
    const int fd = tier_.map_fd(map);
    Value value{};
    if (bpf_map_lookup_elem(fd, &key, &value) == 0 && std::memcmp(&value, &expected, sizeof(value)) == 0)
        return;
    found(std::string(map) + "[" + std::to_string(key) + "]", write_again(fd, key, &expected));
}

void TamperCheck::look_at_screen() {
    const std::vector<uint16_t>& cells = tier_.written_screen().cells();
    if (cells.empty())
        return;
    ebt_screen expected{};
    std::ranges::copy(cells, expected.cell);
    look_at("screens", 0, expected);
}

void TamperCheck::look_at_endpoints(std::span<const ebt_endpoint> endpoints) {
    const int fd = tier_.map_fd("endpoints");
    uint8_t unused = 0;
    size_t index = 0;
    for (const ebt_endpoint& endpoint : endpoints) {
        if (bpf_map_lookup_elem(fd, &endpoint, &unused) != 0)
            found("endpoints[" + std::to_string(index) + "]",
                  bpf_map_update_elem(fd, &endpoint, &unused, BPF_ANY) == 0);
        ++index;
    }
    if (endpoints.empty())
        return;
    const uint64_t connects = tier_.endpoint_connects();
    if (connects < connects_) {
        const ebt_transfer_gate gate{.connects = connects_ + 1}; // what was opened meanwhile is not missed
        found("transfer_gate[0]", write_again(tier_.map_fd("transfer_gate"), 0, &gate));
    }
    connects_ = std::max(connects_, connects);
}

void TamperCheck::look_at_members() {
    for (const Member& member : members_) {
        const int map = tier_.map_fd(member.map);
        uint32_t id = 0;
        if (bpf_map_lookup_elem(map, &member.index, &id) == 0 && id == member.id)
            continue;
        found(member.map + ("[" + std::to_string(member.index) + "]"),
              write_again(map, member.index, &member.fd));
    }
}

/// A link that runs another program, or none, cannot be put right from here: a new start does.
void TamperCheck::look_at_hooks() {
    for (const Hook& hook : hooks_)
        if (linked_program(hook.link_fd) != hook.program_id)
            found("the link of program " + std::to_string(hook.program_id), false);
}

void TamperCheck::look_at_switches() {
    if (!switches_)
        return;
    for (const std::string& file : switches_->off())
        found(file, KprobeSwitches::turn_on(file));
}

} // namespace ebpf_loader
