// SPDX-License-Identifier: MIT
#pragma once

namespace kernel_test {

/// A place in the sources. clang 14, which makes the programs for arm64, has no Location.
struct Location {
    const char* file;
    unsigned line;

    static constexpr Location current(const char* in_file = __builtin_FILE(),
                                      unsigned at_line = __builtin_LINE()) {
        return {in_file, at_line};
    }
};

} // namespace kernel_test
