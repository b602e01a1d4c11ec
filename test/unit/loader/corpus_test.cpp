// SPDX-License-Identifier: MIT
// The fuzzer's inputs, and what becomes of them when bytes are changed.
#include "test/fuzz/offsets_target.hpp"

#include <random>

#include <gtest/gtest.h>

#include "test/unit/support/corpus.hpp"

TEST(OffsetsCorpus, Holds) {
    const auto inputs = corpus("offsets");
    ASSERT_GE(inputs.size(), 3U);
    for (const std::string& input : inputs)
        offsets_fuzz::fuzz_offsets(input);
}

TEST(OffsetsCorpus, HoldsMutated) {
    std::mt19937 random(1);
    const auto inputs = corpus("offsets");
    for (int round = 0; round < 500; ++round) {
        std::string input = inputs[random() % inputs.size()];
        for (int change = 0; change < 4; ++change)
            input[random() % input.size()] = static_cast<char>(random());
        offsets_fuzz::fuzz_offsets(input);
    }
}
