// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/discovery/block.hpp"

namespace ebpf_loader::discovery {

size_t reach(const std::vector<const Block*>& blocks) {
    size_t end = blocks.empty() ? 0 : SIZE_MAX;
    for (const Block* a : blocks) {
        end = std::min(end, a->size());
        for (const Block* b : blocks)
            if (b->address > a->address)
                end = std::min<size_t>(end, b->address - a->address);
    }
    return end;
}

} // namespace ebpf_loader::discovery
