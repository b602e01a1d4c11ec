// SPDX-License-Identifier: MIT
// Lines that select no event: variables of the environment, and what becomes of searches for programs.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

std::string first_line_of_error(const std::string& text) {
    try {
        Rules::parse(text, "x.rules");
    } catch (const RuleError& error) {
        const std::string what = error.what();
        return what.substr(0, what.find('\n'));
    }
    return "no error";
}

TEST(RulesEnvironment, IsNamed) {
    const Rules rules = Rules::parse("env LD_PRELOAD  _x9\nexecve\nenv LD_PRELOAD", "x.rules");
    EXPECT_TRUE(rules.compile().wants_environment());
    EXPECT_FALSE(rules.environment().empty());
    const Rules without = Rules::parse("execve", "x.rules");
    EXPECT_FALSE(without.compile().wants_environment());
    EXPECT_TRUE(without.environment().empty());
}

TEST(RulesEnvironment, Mistakes) {
    const std::string at = "x.rules:1:";
    EXPECT_EQ(first_line_of_error("env"), at + "4: error: no variable is named after env");
    EXPECT_EQ(first_line_of_error("env LD_PRELOAD 5"), at + "16: error: this is no name of a variable");
    EXPECT_EQ(first_line_of_error("env LD_PRELOAD=x"), at + "15: error: this is no name of a variable");
    EXPECT_EQ(first_line_of_error("env " + std::string(65, 'A')),
              at + "5: error: the name of the variable is too long");
    std::string many = "env";
    for (int i = 0; i < 32; ++i)
        many += " V" + std::to_string(i);
    EXPECT_EQ(first_line_of_error(many + " V0"), "no error");
    EXPECT_EQ(first_line_of_error("env V1\n" + many + " OTHER"),
              "x.rules:2:123: error: more than 32 variables in this file");
}

TEST(RulesExecSearch, OutcomesAreAskedFor) {
    EXPECT_TRUE(Rules::parse("exec_search outcome # alone\nexecve", "x.rules").folds_searches());
    EXPECT_FALSE(Rules::parse("execve", "x.rules").folds_searches());
}

TEST(RulesExecSearch, Mistakes) {
    const std::string at = "x.rules:1:",
                      what = "error: this is not what can be said of searches for programs";
    EXPECT_EQ(first_line_of_error("exec_search"), at + "12: " + what);
    EXPECT_EQ(first_line_of_error("exec_search all"), at + "13: " + what);
    EXPECT_EQ(first_line_of_error("exec_search outcome 5"),
              at + "21: error: nothing follows exec_search outcome");
}

} // namespace
