// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

namespace telemetry {

/// A file of rules.
struct RulesFile {
    std::string name; ///< for messages
    std::string text;
};

/// The file, or of a directory its files *.rules that are not hidden, in the order of `ls -v`, as augenrules
/// takes them: 9-x.rules before 10-x.rules. Up to 16 MiB in all. Throws RuleError where one cannot be read,
/// or there is none, and ebpf_loader::Error(usage) where others may write to it; see require_trusted().
std::vector<RulesFile> read_rules_files(const std::string& path);

} // namespace telemetry
