// SPDX-License-Identifier: LGPL-2.1
#pragma once

namespace ebpf_loader {

/// Tells the kernel side which processes have several threads already: one that changes something under a
/// call and ends before it was started unseen. Once the hooks are attached, which note those that start from
/// then on. `sharings`, `sharing_marks`: the maps; `proc`: where that is mounted.
void note_earlier_threads(int sharings, int sharing_marks, const char* proc = "/proc");

} // namespace ebpf_loader
