// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/arch/tiny_executable.hpp"

#include "loader/src/arch/machine.hpp"

namespace ebpf_loader {

std::vector<uint8_t> tiny_executable(std::span<const uint8_t> code) {
    constexpr uint64_t base = 0x400000, code_at = 120;
    std::vector<uint8_t> bytes;
    const auto put = [&](uint64_t value, size_t width) {
        for (size_t i = 0; i < width; i++)
            bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
    };
    const uint64_t size = code_at + code.size();
    put(0x00010102'464c457f, 8), put(0, 8);             // "\x7f" "ELF", 64 bits, little-endian, version 1
    put(2, 2), put(machine::elf_machine, 2), put(1, 4); // ET_EXEC, EV_CURRENT
    put(base + code_at, 8), put(64, 8), put(0, 8), put(0, 4); // entry, program headers, no sections
    put(64, 2), put(56, 2), put(1, 2), put(0, 6);
    put(1, 4), put(5, 4); // PT_LOAD, readable and executable
    put(0, 8), put(base, 8), put(base, 8), put(size, 8), put(size, 8), put(machine::largest_page, 8);
    bytes.insert(bytes.end(), code.begin(), code.end());
    return bytes;
}

} // namespace ebpf_loader
