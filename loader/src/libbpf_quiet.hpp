// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/libbpf.h>
#include <cstdarg>

namespace ebpf_loader {

/// Silences libbpf's own messages while it lives: the failures it would print are
/// expected here, and reported in our words.
class LibbpfQuiet {
  public:
    LibbpfQuiet() : previous_(libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; })) {}
    ~LibbpfQuiet() { libbpf_set_print(previous_); }
    LibbpfQuiet(const LibbpfQuiet&) = delete;
    LibbpfQuiet& operator=(const LibbpfQuiet&) = delete;

  private:
    libbpf_print_fn_t previous_;
};

} // namespace ebpf_loader
