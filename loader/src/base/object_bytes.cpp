// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/object_bytes.hpp"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string_view>

namespace ebpf_loader {
namespace {

/// Of the section .BTF.ext, as libbpf reads it; what its relocations to the kernel's types need follows.
struct BtfExtHeader {
    uint16_t magic;
    uint8_t version, flags;
    uint32_t length;
    uint32_t functions_at, functions_bytes;
    uint32_t lines_at, lines_bytes;
};

template <typename Part> Part part_at(std::span<const char> bytes, size_t at) {
    Part part{};
    if (at <= bytes.size() && bytes.size() - at >= sizeof(part))
        std::memcpy(&part, bytes.data() + at, sizeof(part));
    return part;
}

} // namespace

std::vector<char> without_functions(std::span<const char> object) {
    std::vector<char> bytes(object.begin(), object.end());
    const auto file = part_at<Elf64_Ehdr>(object, 0);
    const auto section = [&](size_t index) {
        return part_at<Elf64_Shdr>(object, file.e_shoff + index * sizeof(Elf64_Shdr));
    };
    const size_t names = section(file.e_shstrndx).sh_offset;
    for (size_t i = 0; i < file.e_shnum; ++i) {
        constexpr std::string_view name(".BTF.ext", sizeof(".BTF.ext")); // with its end
        const size_t name_at = names + section(i).sh_name, at = section(i).sh_offset;
        if (name_at + name.size() > object.size() ||
            std::string_view(object.data() + name_at, name.size()) != name)
            continue;
        auto header = part_at<BtfExtHeader>(object, at);
        header.functions_bytes = header.lines_bytes = 0;
        if (at + sizeof(header) <= bytes.size())
            std::memcpy(bytes.data() + at, &header, sizeof(header));
    }
    return bytes;
}

} // namespace ebpf_loader
