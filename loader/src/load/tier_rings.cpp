// SPDX-License-Identifier: LGPL-2.1
// The ring buffers that a tier writes to.
#include "loader/src/load/loaded_tier.hpp"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>

namespace ebpf_loader {

/// A single one is the map `events` itself, which spares each record a look-up.
void LoadedTier::make_rings(const Rings& rings) {
    bpf_map* const events = object_->map("events");
    const auto bytes = static_cast<uint32_t>(rings.bytes);
    if (rings.count == 1) {
        bpf_map__set_type(events, BPF_MAP_TYPE_RINGBUF);
        bpf_map__set_key_size(events, 0);
        bpf_map__set_value_size(events, 0);
        bpf_map__set_max_entries(events, bytes);
        return;
    }
    bpf_map__set_max_entries(events, 1); // never used
    while (rings_.size() < rings.count) {
        UniqueFd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, bytes, nullptr));
        if (!ring)
            throw LoadFailure(std::string("cannot make a ring buffer: ") + strerror(errno));
        rings_.push_back(std::move(ring));
    }
    bpf_map* const map = object_->map("rings");
    bpf_map__set_max_entries(map, static_cast<uint32_t>(rings.count));
    bpf_map__set_inner_map_fd(map, rings_[0].get());
}

void LoadedTier::link_rings() {
    for (uint32_t group = 0; group < rings_.size(); group++) {
        const int fd = rings_[group].get();
        if (bpf_map_update_elem(map_fd("rings"), &group, &fd, BPF_ANY))
            throw LoadFailure(std::string("cannot give a group of CPUs its ring buffer: ") + strerror(errno));
    }
}

std::vector<int> LoadedTier::ring_fds() const {
    if (rings_.empty())
        return {map_fd("events")};
    std::vector<int> fds;
    for (const UniqueFd& ring : rings_)
        fds.push_back(ring.get());
    return fds;
}

} // namespace ebpf_loader
