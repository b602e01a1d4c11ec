// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/stats.hpp>

namespace ebpf_loader {

std::string_view loss_name(ebt_loss cause) {
    switch (cause) {
    case EBT_LOST_BUFFER_FULL:
        return "buffer_full";
    case EBT_LOST_NO_BUFFER:
        return "no_buffer";
    case EBT_LOST_SCRATCH_BUSY:
        return "scratch_busy";
    case EBT_LOST_TAIL_CALL:
        return "tail_call";
    case EBT_LOST_RATE_LIMIT:
        return "rate_limit";
    case EBT_LOST_MAX_CPU:
        return "max_cpu";
    case EBT_LOSSES:
        break;
    }
    return "unknown";
}

} // namespace ebpf_loader
