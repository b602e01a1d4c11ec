// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/object_bytes.hpp"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string_view>
#include <zlib.h>

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

std::vector<char> unpacked(std::span<const char> packed) {
    constexpr int gzip = 16;            // added to the window's bits
    constexpr size_t most_times = 1032; // as many bytes as it was
    const auto size = part_at<uint32_t>(packed, packed.size() - sizeof(uint32_t));
    if (size > packed.size() * most_times)
        return {};
    std::vector<char> object(size);
    z_stream stream{};
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(object.data());
    stream.avail_out = static_cast<uInt>(object.size());
    if (inflateInit2(&stream, MAX_WBITS + gzip) != Z_OK)
        return {};
    const int status = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return status == Z_STREAM_END ? object : std::vector<char>();
}

void remove_functions(std::vector<char>& object) {
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
        if (at + sizeof(header) <= object.size())
            std::memcpy(object.data() + at, &header, sizeof(header));
    }
}

} // namespace

std::vector<char> object_to_load(std::span<const char> packed) {
    std::vector<char> object = unpacked(packed);
    remove_functions(object);
    return object;
}

} // namespace ebpf_loader
