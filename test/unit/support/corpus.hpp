// SPDX-License-Identifier: MIT
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// What test/fuzz/corpus has for a fuzzer.
inline std::vector<std::string> corpus(const char* name) {
    std::vector<std::string> inputs;
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(SOURCE_DIR "/test/fuzz/corpus/") + name)) {
        std::ifstream stream(file.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    return inputs;
}
