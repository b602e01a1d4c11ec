// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <vector>

#include "telemetry/rules/auditctl/rule.hpp"
#include "telemetry/rules/builder.hpp"

namespace telemetry::rules::auditctl {

/// Reads the rules of a file as auditctl -R does and gives them to a Builder in the order in which they
/// count.
class FileReader {
  public:
    FileReader(const SourceText& source, Builder& builder) : source_(source), builder_(builder) {}

    /// Adds what is wrong to `mistakes`. Behind -i or -c a mistake leaves its line out, which is declared.
    void read(MistakeList& mistakes);

  private:
    /// A rule and what it has become.
    struct Kept {
        Rule rule;
        Translation translation;
        bool ignores_mistakes;
    };

    void read_line(Span line);
    void read_rule(Span line, const std::vector<Option>& options);
    void take(Rule& rule, const Option& option, bool& prepends);
    void control(const Option& option);
    void delete_rules(Span line, const std::vector<Option>& options);
    void leave_out(const Mistake& mistake);

    const SourceText& source_;
    Builder& builder_;
    std::deque<Kept> rules_; ///< in the order in which they count
    bool ignores_mistakes_ = false;
};

} // namespace telemetry::rules::auditctl
