// SPDX-License-Identifier: MIT
// The fuzzer's inputs, and what becomes of them when bytes are dropped or repeated.
#include "test/fuzz/imds_target.hpp"

#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace {

std::vector<std::string> corpus() {
    std::vector<std::string> inputs;
    for (const auto& file : std::filesystem::directory_iterator(SOURCE_DIR "/test/fuzz/corpus/imds")) {
        std::ifstream stream(file.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    return inputs;
}

} // namespace

TEST(ImdsCorpus, Holds) {
    ASSERT_GE(corpus().size(), 10U);
    for (const std::string& input : corpus())
        imds_fuzz::fuzz_imds(input);
}

TEST(ImdsCorpus, HoldsMutated) {
    std::mt19937 random(1);
    const auto inputs = corpus();
    for (int round = 0; round < 3000; ++round) {
        std::string input = inputs[random() % inputs.size()] + inputs[random() % inputs.size()];
        for (int change = 0; change < 4; ++change) {
            const size_t at = random() % input.size();
            switch (random() % 3) {
            case 0:
                input[at] = static_cast<char>(random());
                break;
            case 1:
                input.erase(at, random() % 20);
                break;
            default:
                input.insert(at, input.substr(random() % input.size(), random() % 40));
            }
            if (input.empty())
                input = "x";
        }
        imds_fuzz::fuzz_imds(input);
    }
}
