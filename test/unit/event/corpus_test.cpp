// SPDX-License-Identifier: MIT
// The fuzzer's inputs, and what becomes of them when bytes are changed.
#include "test/fuzz/record_target.hpp"

#include <random>

#include <gtest/gtest.h>

#include "test/unit/support/corpus.hpp"

TEST(RecordCorpus, Holds) {
    const auto inputs = corpus("records");
    ASSERT_GE(inputs.size(), 3U);
    for (const std::string& input : inputs)
        record_fuzz::fuzz_formats(input);
}

TEST(RecordCorpus, HoldsMutated) {
    std::mt19937 random(1);
    const auto inputs = corpus("records");
    for (int round = 0; round < 2000; ++round) {
        std::string input = inputs[random() % inputs.size()];
        for (int change = 0; change < 4; ++change)
            input[random() % input.size()] = static_cast<char>(random());
        record_fuzz::fuzz_formats(input);
    }
}

TEST(RecordCorpus, HoldsInAnyOrder) {
    std::mt19937 random(1);
    const auto inputs = corpus("records");
    for (int round = 0; round < 300; ++round) {
        std::string input;
        for (int i = 0; i < 10; ++i)
            input += inputs[random() % inputs.size()];
        record_fuzz::fuzz_records(input);
    }
}
