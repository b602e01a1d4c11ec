// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/tables/features.hpp"

#include <string>

namespace ebpf_loader {

/// The BTF that libbpf relocates the programs against, on every kernel: two structures,
/// `ebt_offsets` with a member `task_struct__real_parent` at that field's offset, and
/// `ebt_features` with a member a feature at the offset that is its value. What this
/// kernel lacks has no member.
class TinyBtf {
  public:
    TinyBtf(const Offsets& offsets, std::span<const std::optional<uint32_t>> features);

    /// For bpf_object_open_opts.btf_custom_path; good as long as this object lives.
    const char* path() const { return path_.c_str(); }

  private:
    UniqueFd fd_; ///< a memfd
    std::string path_;
};

} // namespace ebpf_loader
