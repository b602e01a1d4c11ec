// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "test/kernel/process.hpp"

namespace kernel_test {

/// For execve(2).
constexpr const char* no_environment[] = {nullptr};

/// One thing that a process does, in a process and a folder of its own. Everything that
/// it does is logged, with what its event must say; the events are compared with the log.
struct Case {
    std::string name;
    void (*run)(Process& p);
    /// The same calls in the same order each time: may be compared between tiers.
    bool deterministic = true;
    /// Done in the case's folder beforehand, by a process whose calls have no events.
    void (*prepare)(const std::string& folder) = nullptr;
};

using Cases = std::vector<Case>;

Cases open_cases();
Cases file_cases();
Cases attribute_cases();
Cases exec_cases();
Cases process_cases();
Cases thread_cases();
Cases signal_cases();
Cases socket_cases();
Cases message_cases();
Cases memory_cases();
Cases identity_cases();
Cases namespace_cases();
Cases kernel_cases();
Cases path_cases();
Cases spelling_cases();
Cases hostile_cases();
Cases abi_cases();

/// All of them, in the order in which they run.
const Cases& all_cases();

} // namespace kernel_test
