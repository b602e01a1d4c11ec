// SPDX-License-Identifier: MIT
// The fuzzer's inputs, and what becomes of them when bytes are changed.
#include "test/fuzz/endpoints_target.hpp"

#include <random>

#include <gtest/gtest.h>

#include "test/unit/support/corpus.hpp"

TEST(EndpointsCorpus, Holds) {
    const auto inputs = corpus("endpoints");
    ASSERT_GE(inputs.size(), 3U);
    for (const std::string& input : inputs)
        endpoints_fuzz::fuzz_endpoints(input);
}

TEST(EndpointsCorpus, HoldsMutated) {
    std::mt19937 random(1);
    const auto inputs = corpus("endpoints");
    for (int round = 0; round < 2000; ++round) {
        std::string input = inputs[random() % inputs.size()];
        for (int change = 0; change < 4; ++change)
            input[random() % input.size()] = static_cast<char>(random());
        endpoints_fuzz::fuzz_endpoints(input);
    }
}
