// SPDX-License-Identifier: MIT
// What -F and -C of auditctl say, as comparisons of the rule language.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/rules/auditctl/words.hpp"
#include "telemetry/rules/syntax.hpp"

namespace telemetry::rules::auditctl {

using Conjunction = std::vector<std::shared_ptr<const Comparison>>;

/// -F arch=
enum class Arch : uint8_t { any, b64, b32, foreign };

/// The conditions of a rule, all of which an event must fulfil.
struct Conditions {
    Conjunction comparisons;
    std::vector<Word> paths;       ///< a file, or a directory and what is below
    std::vector<Word> executables; ///< of `exe=`
    std::string permissions;       ///< letters of rwxa; empty: whatever the call
    std::vector<std::string> keys;
    Arch arch = Arch::any;
    bool needs_files = false;   ///< it is about calls that name files
    bool needs_address = false; ///< and about those with the address of a socket
    std::string dishonoured;    ///< why the rule cannot be honoured; empty: it can

    /// -F FIELD OPERATOR VALUE. Throws Mistake.
    void add_field(const Word& word);
    /// -C FIELD OPERATOR FIELD. Throws Mistake.
    void add_comparison(const Word& word);
    /// -p or -F perm=. Throws Mistake.
    void add_permissions(const Word& word, std::string_view letters);
    /// -w, -F path= or dir=. Throws Mistake.
    void add_path(const Word& word, std::string_view path);
    /// -k or -F key=. Throws Mistake.
    void add_key(const Word& word, std::string_view key);
};

/// The comparisons, ORed, that say that the text field is the path as it is written, or as links lead from it
/// now; or with `below` what is below that directory.
std::vector<std::shared_ptr<const Comparison>> spellings(const Word& path, std::string_view field,
                                                         bool below);

std::shared_ptr<const Comparison> text_comparison(const Word& word, std::string_view field, Op op,
                                                  std::string text);
std::shared_ptr<const Comparison> truth_comparison(const Word& word, std::string_view field, bool truth);

} // namespace telemetry::rules::auditctl
