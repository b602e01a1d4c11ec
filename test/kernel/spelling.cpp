// SPDX-License-Identifier: MIT
#include "test/kernel/spelling.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <span>

namespace kernel_test {

namespace {

/// Where an argument comes from: one that was given, or a number that is always the same.
struct Source {
    int given;
    uint64_t number;
};

constexpr Source given(int index) {
    return {index, 0};
}

constexpr Source always(int64_t number) {
    return {-1, static_cast<uint64_t>(number)};
}

struct Substitute {
    std::string_view name;
    long nr;
    std::string_view name_here;
    long nr_here;
    std::array<Source, 6> args;
};

constexpr Source nothing = always(0), here = always(AT_FDCWD);

#ifdef __aarch64__
constexpr Substitute substitutes[] = {
    {"open", SYS_open, "openat", SYS_openat, {here, given(0), given(1), given(2), nothing, nothing}},
    {"creat",
     SYS_creat,
     "openat",
     SYS_openat,
     {here, given(0), always(O_CREAT | O_WRONLY | O_TRUNC), given(1), nothing, nothing}},
    {"unlink", SYS_unlink, "unlinkat", SYS_unlinkat, {here, given(0), nothing, nothing, nothing, nothing}},
    {"rmdir",
     SYS_rmdir,
     "unlinkat",
     SYS_unlinkat,
     {here, given(0), always(AT_REMOVEDIR), nothing, nothing, nothing}},
    {"mkdir", SYS_mkdir, "mkdirat", SYS_mkdirat, {here, given(0), given(1), nothing, nothing, nothing}},
    {"mknod", SYS_mknod, "mknodat", SYS_mknodat, {here, given(0), given(1), given(2), nothing, nothing}},
    {"rename", SYS_rename, "renameat", SYS_renameat, {here, given(0), here, given(1), nothing, nothing}},
    {"link", SYS_link, "linkat", SYS_linkat, {here, given(0), here, given(1), nothing, nothing}},
    {"symlink",
     SYS_symlink,
     "symlinkat",
     SYS_symlinkat,
     {given(0), here, given(1), nothing, nothing, nothing}},
    {"chmod", SYS_chmod, "fchmodat", SYS_fchmodat, {here, given(0), given(1), nothing, nothing, nothing}},
    {"chown", SYS_chown, "fchownat", SYS_fchownat, {here, given(0), given(1), given(2), nothing, nothing}},
    {"lchown",
     SYS_lchown,
     "fchownat",
     SYS_fchownat,
     {here, given(0), given(1), given(2), always(AT_SYMLINK_NOFOLLOW), nothing}},
    {"fork", SYS_fork, "clone", SYS_clone, {always(SIGCHLD), nothing, nothing, nothing, nothing, nothing}},
    {"vfork",
     SYS_vfork,
     "clone",
     SYS_clone,
     {always(CLONE_VM | CLONE_VFORK | SIGCHLD), nothing, nothing, nothing, nothing, nothing}},
};
#else
constexpr std::span<const Substitute> substitutes;
#endif

} // namespace

Spelling spelled_here(std::string_view name, long nr, std::initializer_list<uint64_t> args) {
    Spelling call{name, nr, {}, {0, 1, 2, 3, 4, 5}};
    const auto other = std::find_if(std::begin(substitutes), std::end(substitutes),
                                    [&](const Substitute& substitute) { return substitute.nr == nr; });
    if (other == std::end(substitutes)) {
        std::copy(args.begin(), args.end(), call.args.begin());
        return call;
    }
    call.name = other->name_here;
    call.nr = other->nr_here;
    for (uint8_t i = 0; i < call.args.size(); i++) {
        const Source& from = other->args[i];
        if (from.given < 0) {
            call.args[i] = from.number;
        } else if (static_cast<size_t>(from.given) < args.size()) {
            call.args[i] = args.begin()[from.given];
            call.places[static_cast<size_t>(from.given)] = i;
        }
    }
    return call;
}

std::string_view name_here(std::string_view name) {
    const auto other = std::find_if(std::begin(substitutes), std::end(substitutes),
                                    [&](const Substitute& substitute) { return substitute.name == name; });
    return other == std::end(substitutes) ? name : other->name_here;
}

} // namespace kernel_test
