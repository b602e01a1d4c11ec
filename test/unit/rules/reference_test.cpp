// SPDX-License-Identifier: MIT
// rules/README.md is current, and its examples are right.
#include "telemetry/rules/reference.hpp"

#include <fstream>
#include <iterator>

#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

std::string readme() {
    std::ifstream file(SOURCE_DIR "/rules/README.md", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The code blocks that begin with the line `fence`.
std::vector<std::string> blocks(const std::string& document, const std::string& fence) {
    std::vector<std::string> result;
    size_t at = 0;
    while ((at = document.find('\n' + fence + '\n', at)) != std::string::npos) {
        const size_t begin = at + fence.size() + 2;
        at = document.find("\n```\n", begin - 1);
        result.push_back(document.substr(begin, at + 1 - begin));
    }
    return result;
}

TEST(RulesReference, TablesAreCurrent) {
    const std::string document = readme();
    ASSERT_FALSE(document.empty());
    EXPECT_EQ(telemetry::update_rules_reference(document), document) << "run: make rules-reference";
}

TEST(RulesReference, TablesAreMadeAnew) {
    const std::string made =
        telemetry::update_rules_reference("a\n<!-- generated:operators -->\nstale\n<!-- end -->\nb\n<!-- "
                                          "generated:limits -->\n<!-- end -->\nc");
    EXPECT_TRUE(made.starts_with("a\n<!-- generated:operators -->\n| operator |"));
    EXPECT_EQ(made.find("stale"), std::string::npos);
    EXPECT_NE(made.find("\n| `\\|` | has any bit"), std::string::npos);
    EXPECT_NE(made.find("| 32 |\n"), std::string::npos);
    EXPECT_TRUE(made.ends_with("<!-- end -->\nc"));
    EXPECT_EQ(telemetry::update_rules_reference(made), made);
    EXPECT_EQ(telemetry::update_rules_reference("no tables"), "no tables");
}

TEST(RulesReference, WrongMarkersAreRefused) {
    EXPECT_THROW(telemetry::update_rules_reference("<!-- generated:nonsense -->\n<!-- end -->"),
                 std::runtime_error);
    EXPECT_THROW(telemetry::update_rules_reference("<!-- generated:limits -->\n"), std::runtime_error);
    EXPECT_THROW(telemetry::update_rules_reference("<!-- generated:limits"), std::runtime_error);
}

TEST(RulesReference, EveryTableIsUsed) {
    const std::string document = readme();
    for (const char* name : {"operators", "fields", "process-events", "groups", "constants", "limits"})
        EXPECT_NE(document.find(std::string("<!-- generated:") + name + " -->\n"), std::string::npos) << name;
}

TEST(RulesReference, ExamplesParse) {
    const auto examples = blocks(readme(), "```rules");
    EXPECT_GE(examples.size(), 6u);
    for (const std::string& example : examples) {
        const auto selects_nothing = [&] {
            const Rules rules = parse(example);
            return rules.compile().empty() || !rules.warnings().empty();
        };
        EXPECT_NO_THROW(EXPECT_FALSE(selects_nothing()) << example) << example;
    }
}

TEST(RulesReference, TheMistakeIsShownAsItIsTold) {
    bool found = false;
    for (const std::string& block : blocks(readme(), "```"))
        if (block.starts_with("my.rules:7:")) {
            found = true;
            try {
                Rules::parse("\n\n\n\n\n\nkill a1=SIGKIL\n", "my.rules");
                ADD_FAILURE() << "no mistake";
            } catch (const RuleError& error) {
                EXPECT_EQ(error.what(), block);
            }
        }
    EXPECT_TRUE(found);
}

} // namespace
