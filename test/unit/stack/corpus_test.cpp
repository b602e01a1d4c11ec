// SPDX-License-Identifier: MIT
// The fuzzer's inputs, and what becomes of them when bytes are changed.
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "test/fuzz/stack_target.hpp"

namespace {

std::vector<std::string> corpus() {
    std::vector<std::string> inputs;
    for (const auto& file : std::filesystem::directory_iterator(SOURCE_DIR "/test/fuzz/corpus/stack")) {
        std::ifstream stream(file.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    return inputs;
}

TEST(StackCorpus, Holds) {
    ASSERT_GE(corpus().size(), 10U);
    for (const std::string& input : corpus())
        stack_fuzz::fuzz_stack(input);
}

TEST(StackCorpus, HoldsMutated) {
    std::mt19937 random(1);
    const auto inputs = corpus();
    for (int round = 0; round < 3000; ++round) {
        std::string input = inputs[random() % inputs.size()];
        for (int change = 0; change < 4; ++change)
            input[random() % input.size()] = static_cast<char>(random());
        stack_fuzz::fuzz_stack(input);
    }
}

} // namespace
