// SPDX-License-Identifier: MIT
// ELF files made to be slow or large for whoever reads them.
#pragma once
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string>
#include <vector>

#include "test/unit/support/bytes_of.hpp"
#include "test/unit/support/registers.hpp"

namespace stack_test {

/// One segment has the whole file at address 0, so its offsets are its addresses.
class MadeElf {
  public:
    explicit MadeElf(size_t head = 0x1000) : bytes_(head, '\0') {}

    uint64_t size() const { return bytes_.size(); }
    /// Returns where it begins.
    uint64_t add(const std::string& bytes) {
        const uint64_t at = size();
        bytes_ += bytes;
        return at;
    }
    template <class Plain> uint64_t add_plain(const Plain& value) {
        return add({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    void add_section(uint32_t type, uint64_t at, uint64_t size, uint32_t link = 0, const char* name = "") {
        Elf64_Shdr section{};
        section.sh_name = static_cast<uint32_t>(names_.size());
        names_ += std::string(name) + '\0';
        section.sh_type = type;
        section.sh_flags = *name ? SHF_ALLOC : 0;
        section.sh_addr = section.sh_offset = at;
        section.sh_size = size;
        section.sh_link = link;
        sections_.push_back(section);
    }
    /// Sections from 1 on; the names of symbols and sections are in the last one.
    uint32_t sections() const { return static_cast<uint32_t>(sections_.size()) + 1; }

    std::string finish() {
        Elf64_Ehdr header{};
        memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_DYN;
        header.e_machine = registers::elf_machine;
        header.e_phoff = sizeof(header);
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = 1;
        header.e_shentsize = sizeof(Elf64_Shdr);
        add_section(SHT_STRTAB, size(), names_.size());
        add(names_);
        sections_.insert(sections_.begin(), Elf64_Shdr{});
        header.e_shoff = size();
        header.e_shnum = static_cast<uint16_t>(sections_.size());
        header.e_shstrndx = static_cast<uint16_t>(sections_.size() - 1);
        for (const Elf64_Shdr& section : sections_)
            add_plain(section);
        Elf64_Phdr segment{};
        segment.p_type = PT_LOAD;
        segment.p_flags = PF_R | PF_X;
        segment.p_filesz = segment.p_memsz = size() + (1u << 30); // what is sparse behind it too
        memcpy(bytes_.data(), &header, sizeof(header));
        memcpy(bytes_.data() + sizeof(header), &segment, sizeof(segment));
        return bytes_;
    }

  private:
    std::string bytes_, names_ = std::string(1, '\0');
    std::vector<Elf64_Shdr> sections_;
};

/// An entry of .eh_frame without a length of its own; `pad` nops behind the instructions.
inline std::string common_entry(const std::string& instructions = {}) {
    const std::string body =
        bytes_of(uint32_t{0}, uint8_t{1}, uint8_t{0}, uint8_t{1}, uint8_t{1}, registers::return_address) +
        instructions;
    return bytes_of(static_cast<uint32_t>(body.size())) + body;
}

/// Entries that have one of `commons` in common each, and concern no address.
inline std::string elf_of_many_common_entries(size_t commons) {
    MadeElf elf;
    const std::string head =
        bytes_of(uint32_t{65535}, uint32_t{0}, uint8_t{1}, uint8_t{0}, uint8_t{1}, uint8_t{1}, uint8_t{0});
    const uint64_t first = elf.size();
    for (size_t i = 0; i < commons; ++i)
        elf.add(head);
    const uint64_t begin = elf.size();
    for (size_t i = 0; i < commons; ++i)
        elf.add(bytes_of(uint32_t{4}, static_cast<uint32_t>(elf.size() + 4 - (first + i * head.size()))));
    elf.add_section(SHT_PROGBITS, begin, elf.size() - begin, 0, ".eh_frame");
    elf.add(std::string(70'000, '\0'));
    return elf.finish();
}

/// An entry for addresses up to `last` whose instructions do the same again and again.
inline std::string elf_of_long_program(const std::string& instructions, size_t bytes,
                                       uint64_t last = 0x10000) {
    MadeElf elf;
    const uint64_t common = elf.add(common_entry());
    std::string program;
    while (program.size() + instructions.size() <= bytes)
        program += instructions;
    const auto back = static_cast<uint32_t>(elf.size() + 4 - common);
    const std::string body = bytes_of(back, uint64_t{0}, last) + program;
    elf.add(bytes_of(static_cast<uint32_t>(body.size())) + body);
    elf.add_section(SHT_PROGBITS, common, elf.size() - common, 0, ".eh_frame");
    return elf.finish();
}

/// Symbols that are all of them about every address.
inline std::string elf_of_symbols(size_t count, const std::vector<std::string>& names) {
    MadeElf elf;
    std::string text(1, '\0');
    std::vector<uint32_t> places;
    for (const std::string& name : names) {
        places.push_back(static_cast<uint32_t>(text.size()));
        text += name + '\0';
    }
    const uint64_t begin = elf.size();
    for (size_t i = 0; i < count; ++i) {
        Elf64_Sym symbol{};
        symbol.st_name = places[i % places.size()];
        symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
        symbol.st_shndx = 1;
        symbol.st_value = 1 + i % 4096;
        symbol.st_size = 1u << 30;
        elf.add_plain(symbol);
    }
    const uint64_t at = elf.add(text);
    elf.add_section(SHT_STRTAB, at, text.size());
    elf.add_section(SHT_SYMTAB, begin, at - begin, 1);
    return elf.finish();
}

/// A small file whose symbols are said to take `bytes`, to be made longer by a hole.
inline std::string elf_of_sparse_symbols(uint64_t bytes) {
    MadeElf elf;
    elf.add_section(SHT_SYMTAB, 0x100000, bytes, 3);
    elf.add_section(SHT_DYNSYM, 0x100000, bytes, 3);
    elf.add_section(SHT_PROGBITS, 0x1000, bytes, 0, ".eh_frame");
    return elf.finish();
}

/// "f(A<B>, A<A<B>, A<B>, A<B>>, ...)": each level is three times as long as the one before.
inline std::string name_that_grows(int levels) {
    constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string name = "_Z1f1AI1BE";
    for (int level = 0; level < levels; ++level) {
        const std::string last = std::string("S") + digits[level + 1] + "_";
        name += "S_I";
        for (int time = 0; time < 3; ++time)
            name += last;
        name += 'E';
    }
    return name;
}

} // namespace stack_test
