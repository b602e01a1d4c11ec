// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "telemetry/base/arena.hpp"

namespace telemetry {

/// What is known of a path as a process wrote it, made absolute where that was possible.
struct WrittenPath {
    std::string_view bytes;
    size_t base = 0;             ///< how many of them came from the kernel: the directory it starts from
    uint32_t pid = 0;            ///< of the process
    std::string_view root = "/"; ///< where its absolute paths start
    std::string_view cwd;        ///< its working directory; empty: not known
    bool is_cut = false;         ///< the last component may be longer
    bool follows_last = true;    ///< the call follows a link that the path ends in
};

/// The same path as the kernel would write it.
struct LexicalPath {
    /// Which directory it turned out to start from.
    enum class Start : uint8_t { as_written, root, cwd };

    std::string_view bytes;   ///< into the arena, or those that were given
    bool changed = false;     ///< they differ from what was given
    bool is_guess = false;    ///< a symbolic link or another process's root may lead elsewhere
    bool is_relative = false; ///< where it begins cannot be known: it leads through another file
    Start start = Start::as_written;
};

/// Is there nothing in it that lexical_path() would change? Most paths are so.
bool is_plain(const WrittenPath& written) noexcept;

/// Takes "//", "." and ".." out of a path, and what leads back to where everything starts:
/// /proc/self/root, /proc/PID/cwd and their like. It looks at the text alone: of a ".." behind a name that
/// the process wrote nobody knows whether the name is a directory or a symbolic link to somewhere else.
/// The work is bounded by the length of the path.
LexicalPath lexical_path(const WrittenPath& written, Arena& arena) noexcept;

} // namespace telemetry
