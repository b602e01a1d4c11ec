// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/libbpf.h>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

namespace ebpf_loader {

/// Silences libbpf's own messages while it lives: the failures it would print are
/// expected here, and reported in our words. Keeps the first warning.
class LibbpfQuiet {
  public:
    LibbpfQuiet() : previous_(libbpf_set_print(keep)) { first_warning().clear(); }
    ~LibbpfQuiet() { libbpf_set_print(previous_); }
    LibbpfQuiet(const LibbpfQuiet&) = delete;
    LibbpfQuiet& operator=(const LibbpfQuiet&) = delete;

    /// "prog 'stage_walk': BPF program load failed: Permission denied", or empty.
    static std::string& first_warning() {
        static thread_local std::string warning;
        return warning;
    }

  private:
    static int keep(libbpf_print_level level, const char* format, va_list arguments) {
        constexpr size_t most = 256;
        if (level != LIBBPF_WARN || !first_warning().empty())
            return 0;
        char text[most];
        const int length = vsnprintf(text, sizeof(text), format, arguments);
        if (std::strstr(text, ".BTF.ext")) // which object_to_load() has emptied
            return length;
        first_warning().assign(text,
                               static_cast<size_t>(length) < most ? static_cast<size_t>(length) : most - 1);
        while (first_warning().ends_with('\n'))
            first_warning().pop_back();
        return length;
    }

    libbpf_print_fn_t previous_;
};

} // namespace ebpf_loader
