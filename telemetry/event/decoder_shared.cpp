// SPDX-License-Identifier: MIT
// The part of the decoder that knows what another thread could have changed during a call.
#include "telemetry/event/decoder.hpp"

namespace telemetry {

/// What was witnessed, or was taken from what only the call itself can change, is right all the same. Of
/// the rest, most was taken at the end of the call.
void Decoder::mark_shared(Event& out) noexcept {
    const bool files = out.shared & EBT_SHARED_FILES;
    const bool directories = out.shared & EBT_SHARED_FS;
    const bool memory = out.shared & EBT_SHARED_MEMORY;
    out.cwd.shared = out.root.shared = directories;
    for (uint8_t i = 0; i < out.paths; ++i) {
        PathField& path = out.path[i];
        const bool is_named = path.source == Source::user_memory;
        const bool is_from_descriptor =
            path.argument < directories_.size() && directories_[path.argument].is_there();
        const bool is_below_cwd = path.base != 0 && !is_from_descriptor;
        if (is_named)
            path.shared = memory || (is_from_descriptor && files) || (is_below_cwd && directories);
        else
            path.shared = path.has_inode ? files && !path.witnessed : directories;
    }
    for (uint8_t i = 0; i < out.strings; ++i)
        out.string[i].shared = memory;
    out.structure.shared = out.exec_argv.shared = memory;
    out.sockaddr.shared = memory && out.sockaddr.source == Source::user_memory;
    passed_.control.shared = memory;
    out.socket_shared = files && !has_witness_;
}

} // namespace telemetry
