// SPDX-License-Identifier: MIT
// The fuzzer's corpus, run once; see test/fuzz.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "test/fuzz/rules_target.hpp"

namespace {

std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(RulesCorpus, HoldsForEveryFile) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/test/fuzz/corpus/rules")) {
        SCOPED_TRACE(entry.path().filename());
        const std::string text = contents(entry.path());
        rules_test::fuzz_rules(text);
        ++files;
    }
    EXPECT_GT(files, 20u);
}

TEST(RulesCorpus, HoldsForEveryBeginningOfTheDefaultRules) {
    const std::string text(telemetry::Rules::built_in());
    for (size_t size = 0; size < text.size(); size += 1 + size / 64)
        rules_test::fuzz_rules(std::string_view(text).substr(0, size));
}

} // namespace
