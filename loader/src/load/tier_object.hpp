// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/probe.hpp>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/load/tiny_btf.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ebpf_loader {

/// The kernel refused an object.
class LoadFailure : public std::runtime_error {
  public:
    explicit LoadFailure(const std::string& what, std::string tail = {})
        : std::runtime_error(what), log_tail(std::move(tail)) {}
    std::string log_tail; ///< of the verifier's log
};

/// One tier's object: its maps, and its programs. The verifier takes most of a start's time, and takes
/// programs of one process at the same time: where there are two CPUs, half of them are loaded by a second
/// thread.
class TierObject {
  public:
    /// Opens it, to be relocated against `btf`, which has to live until it is loaded. Throws LoadFailure.
    TierObject(Tier tier, const TinyBtf& btf);

    /// libbpf's own, to be changed before load().
    bpf_map* map(const char* name) const;
    /// Null if the object has no program of this name.
    bpf_program* program(const char* name) const;
    /// Its descriptor; negative unless it is loaded.
    int program_fd(const char* name) const { return bpf_program__fd(program(name)); }
    /// Of all programs that are wanted.
    void for_each_program(const std::function<void(bpf_program*)>& call) const;

    /// Lets programs read kernel memory without a helper; see KernelSupport::rdonly_cast. Throws LoadFailure.
    void enable_direct_reads(int rdonly_cast);
    /// A program that load() is to load.
    void want(const char* program);
    /// Makes the maps and loads what is wanted. Throws LoadFailure.
    void load();
    /// The same; returns how many instructions the verifier went through for the most demanding program, by
    /// its log.
    uint64_t load_counting();

  private:
    /// The whole object, opened once more, of which some programs are loaded.
    struct Part {
        std::unique_ptr<char[]> log; ///< the verifier's, while loading
        ObjectPtr object;
        size_t instructions = 0; ///< of the programs that it loads
    };

    void divide();
    void share_maps(const Part& part) const;
    void load_programs();

    ObjectPtr maps_; ///< and none of its programs
    std::vector<Part> parts_;
    std::vector<const char*> wanted_;
};

} // namespace ebpf_loader
