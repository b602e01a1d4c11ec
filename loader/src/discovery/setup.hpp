// SPDX-License-Identifier: LGPL-2.1
// What the steps of a discovery work with: helper processes and what is known so far.
#pragma once
#include <ebpf_loader/discovery.hpp>

#include "loader/src/discovery/helper_process.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <string>

namespace ebpf_loader::discovery {

/// As much of these structures as any kernel needs for what is looked for, and more.
constexpr size_t file_bytes = 768, socket_bytes = 512;

/// The offsets found so far, and why others were not. Several attempts may add to it: what is
/// true fits each time, what fits by chance does not.
class FoundOffsets {
  public:
    /// These places fit in this attempt.
    void settle(std::string_view name, std::vector<uint32_t> places);
    void refuse(std::string_view name, const std::string& why) {
        refused_.insert_or_assign(std::string(name), why);
    }
    /// The kernel does not have it.
    void absent(std::string_view name) { absent_.emplace(name); }
    /// Why a step ended early; what it left open is refused for that reason.
    void step_failed(const std::string& why);
    void begin_attempt() { first_failure_.clear(); }

    /// Throws Unobservable when it is not known.
    uint32_t operator[](std::string_view name) const;
    bool knows(std::string_view name) const;
    bool is_complete() const { return refusals().empty(); }

    Discovery finish() const;

  private:
    std::vector<std::string> refusals() const;

    std::map<std::string, std::vector<uint32_t>, std::less<>> fitting_; ///< in every attempt so far
    std::map<std::string, std::string, std::less<>> refused_;
    std::set<std::string, std::less<>> absent_;
    std::string first_failure_;
};

/// One column of what several places say together.
template <typename Row> std::vector<uint32_t> column(const std::vector<Row>& rows, uint32_t Row::*member) {
    std::vector<uint32_t> values;
    for (const Row& row : rows)
        values.push_back(row.*member);
    return values;
}

/// Those that are in both.
template <typename Row> std::vector<Row> in_both(const std::vector<Row>& a, const std::vector<Row>& b) {
    std::vector<Row> both;
    std::copy_if(a.begin(), a.end(), std::back_inserter(both),
                 [&](const Row& row) { return std::find(b.begin(), b.end(), row) != b.end(); });
    return both;
}

/// A directory or file that the worker has open.
struct Opened {
    int fd = -1;
    uint64_t mount = 0, dentry = 0; ///< of its path: struct vfsmount and struct dentry
};

/// A pointer in a structure and what it leads to.
struct Pointee {
    uint32_t offset; ///< of the pointer
    Block block;
};
/// That of the pointer at an offset; nullptr if there is none.
const Block* find(const std::vector<Pointee>& pointees, uint32_t offset);

struct Setup {
    Setup(std::string tracefs_path, const KernelMemory& kernel_memory, FoundOffsets& findings);

    const std::string tracefs;
    const KernelMemory& memory;
    FoundOffsets& found;
    HelperProcesses helpers;
    /// The helpers that most steps share. The worker has a mount namespace of its own, with a
    /// scratch directory in memory where nobody else can see it.
    HelperProcess& worker;
    HelperProcess& thread;                  ///< of the worker
    HelperProcess& other;                   ///< another process
    std::array<HelperProcess*, 3> children; ///< the worker's children, the oldest first
    HelperProcess* late_child = nullptr;    ///< a later child, which has part in the scratch directory

    // --- tasks
    Block task(const HelperProcess& helper) const { return task_at(helper.task()); }
    /// A task_struct, up to the nearest other one that is known.
    Block task_at(uint64_t address) const;
    /// Where the pointers in a block that lead to something allocated go; not within itself.
    std::vector<Pointee> follow(const Block& block, size_t length) const;
    /// What a pointer field of a helper's task_struct leads to.
    Block through(const HelperProcess& helper, std::string_view field, size_t length) const;

    // --- the scratch directory
    std::string scratch; ///< its path, in the worker's mount namespace
    std::string in_scratch(std::string_view name) const { return scratch + "/" + std::string(name); }
    void make_scratch_directory();
    /// Opens a path in the worker; throws Unobservable.
    int open(const std::string& path, int flags);
    /// What a descriptor of a helper leads to; 0 if nothing.
    uint64_t file(const HelperProcess& helper, int fd) const;
    /// Path of an open file, of the worker's.
    Opened opened(int fd) const;

    // Made by one step for the next ones.
    Opened top, folder, long_folder,
        bound;           ///< the scratch directory's, two in it, and a bind mount of `folder`
    int program_fd = -1; ///< the small program, in the scratch directory
};

/// Names in the scratch directory: one that stands in its dentry, one that is too long to.
inline constexpr std::string_view folder_name = "ebpf_telemetry-1";
inline constexpr std::string_view long_folder_name =
    "a name that is too long to stand inside of any dentry, whatever its size";
inline constexpr std::string_view bound_name = "bound";
inline constexpr std::string_view program_name = "program";

} // namespace ebpf_loader::discovery
