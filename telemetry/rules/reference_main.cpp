// SPDX-License-Identifier: MIT
// Writes the tables of rules/README.md from the code: `make rules-reference`.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

#include "telemetry/rules/reference.hpp"

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s rules/README.md\n", argv[0]);
        return 2;
    }
    std::ifstream in(argv[1], std::ios::binary);
    const std::string document{std::istreambuf_iterator<char>(in), {}};
    if (!in || document.empty())
        throw std::runtime_error(std::string("cannot read ") + argv[1]);
    const std::string updated = telemetry::update_rules_reference(document);
    if (updated == document)
        return 0;
    std::ofstream out(argv[1], std::ios::binary);
    if (!(out << updated << std::flush))
        throw std::runtime_error(std::string("cannot write ") + argv[1]);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
