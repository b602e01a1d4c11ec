// SPDX-License-Identifier: LGPL-2.1
// Configs are in offsets/config.cpp, BTF is in offsets/btf.cpp.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/api.hpp>

namespace ebpf_loader {

/// One row of kern/abi/offsets.def.
struct OffsetRow {
    std::string_view structure; ///< "task_struct"
    std::string_view member;    ///< "real_parent"
    bool required;
    bool observable;        ///< discovery can find it
    std::string_view paths; ///< "task_struct.start_boottime|task_struct.real_start_time"
    std::string_view comment;
};

/// All rows, in the order of the table.
EBPF_LOADER_API std::span<const OffsetRow> offset_rows();

/// Byte offsets of kernel fields for one kernel, one entry a row of the table.
class EBPF_LOADER_API Offsets {
  public:
    Offsets();

    std::string release; ///< uname -r of the kernel they are for; empty: any
    std::string source;  ///< "BTF of the running kernel", "config /etc/x.conf", ...

    /// Offset in bytes by row index; nullopt where this kernel has no such field.
    std::optional<uint32_t> get(size_t row) const { return values_[row]; }
    void set(size_t row, std::optional<uint32_t> value) { values_[row] = value; }

    /// Row index of "task_struct.real_parent"; nullopt for an unknown name.
    static std::optional<size_t> find(std::string_view name);

    /// Names of required fields without a value, and broken invariants, as sentences.
    std::vector<std::string> problems() const;
    /// What every tier but raw_tp reads in one piece and this kernel has apart, as clauses.
    std::vector<std::string> scattered() const;

    /// Reads a config file ("struct.member = offset" lines, # comments; `absent` for an
    /// optional field that the kernel lacks). Throws Error(offsets) with file and line.
    static Offsets from_config(const std::string& file);
    /// Writes what from_config reads, a comment a line, release and source on top.
    void write_config(std::ostream& out) const;

    /// From the BTF of the running kernel (file empty), or of a raw BTF file or
    /// an ELF file with a .BTF section. Throws Error(offsets).
    static Offsets from_btf(const std::string& file = {});

  private:
    std::vector<std::optional<uint32_t>> values_;
};

/// Throws Error(offsets) with all problems() when there are any.
EBPF_LOADER_API void require_sound(const Offsets& offsets);

/// Throws Error(offsets), which names both, when the offsets are for another release than `running`.
EBPF_LOADER_API void require_release(const Offsets& offsets, std::string_view running);

} // namespace ebpf_loader
