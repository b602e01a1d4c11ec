// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ebpf_loader {

/// One entry a row of kern/abi/features.def.
enum class Feature : size_t {
#define FEATURE(name, comment) name,
#include <ebpf_loader/abi/features.def>
#undef FEATURE
};

inline constexpr size_t feature_count = 0
#define FEATURE(name, comment) +1
#include <ebpf_loader/abi/features.def>
#undef FEATURE
    ;

/// What is known of this kernel, by Feature; nullopt makes HAS_FEATURE false in the programs.
class Features {
  public:
    std::optional<uint32_t>& operator[](Feature feature) { return values_[static_cast<size_t>(feature)]; }
    const std::optional<uint32_t>& operator[](Feature feature) const {
        return values_[static_cast<size_t>(feature)];
    }
    const std::array<std::optional<uint32_t>, feature_count>& values() const { return values_; }

  private:
    std::array<std::optional<uint32_t>, feature_count> values_{};
};

} // namespace ebpf_loader
