// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string>
#include <vector>

namespace ebpf_loader {

/// Files by which root switches all kprobes of a machine off, while they stay attached and say nothing.
class KprobeSwitches {
  public:
    /// Takes those that exist. `folder` is put before their names, for tests.
    explicit KprobeSwitches(const std::string& folder = "");

    /// Those that are off now. Reads some bytes of each.
    std::vector<std::string> off() const;
    /// False when it cannot be.
    static bool turn_on(const std::string& file);

  private:
    std::vector<std::string> files_;
};

} // namespace ebpf_loader
