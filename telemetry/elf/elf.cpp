// SPDX-License-Identifier: MIT
#include "telemetry/elf/elf.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <string_view>

namespace telemetry {
namespace {

struct Elf64 {
    using Header = Elf64_Ehdr;
    using Segment = Elf64_Phdr;
    using Section = Elf64_Shdr;
    using Symbol = Elf64_Sym;
};
struct Elf32 {
    using Header = Elf32_Ehdr;
    using Segment = Elf32_Phdr;
    using Section = Elf32_Shdr;
    using Symbol = Elf32_Sym;
};

/// Of programs of this machine: 64-bit ones, and 32-bit ones whose unwind tables are of the same form.
#if defined(__aarch64__)
constexpr uint16_t native_machine = EM_AARCH64, narrow_machine = EM_NONE;
#else
constexpr uint16_t native_machine = EM_X86_64, narrow_machine = EM_386;
#endif

constexpr size_t chunk_bytes = 64 * 1024;
constexpr size_t most_note_bytes = 16 * 1024;
constexpr size_t longest_build_id = 64;
constexpr uint64_t longest_without_size = 4096; ///< of functions written in assembler

/// The name that people know: send, not __send.
bool is_better_name(std::string_view a, std::string_view b) {
    const auto underscores = [](std::string_view name) {
        return std::min(name.find_first_not_of('_'), name.size());
    };
    if (underscores(a) != underscores(b))
        return underscores(a) < underscores(b);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

} // namespace

std::optional<ElfFile> ElfFile::open(ByteSource bytes) {
    unsigned char ident[EI_NIDENT];
    if (!bytes.read(0, ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != ELFDATA2LSB)
        return std::nullopt;
    ElfFile file(std::move(bytes));
    file.is_64_ = ident[EI_CLASS] == ELFCLASS64;
    if (!file.is_64_ && ident[EI_CLASS] != ELFCLASS32)
        return std::nullopt;
    if (!(file.is_64_ ? file.load<Elf64>() : file.load<Elf32>()))
        return std::nullopt;
    return file;
}

template <class Elf> bool ElfFile::load() {
    typename Elf::Header header;
    if (!bytes_.read(0, header) || header.e_phentsize != sizeof(typename Elf::Segment) ||
        header.e_phnum > most_segments)
        return false;
    if (header.e_machine != native_machine &&
        (narrow_machine == EM_NONE || header.e_machine != narrow_machine || is_64_))
        return false;
    machine_ = header.e_machine == native_machine ? Machine::native : Machine::i386;
    std::vector<typename Elf::Segment> segments(header.e_phnum);
    if (!budget().parse(segments.size()) ||
        !bytes_.read(header.e_phoff, segments.data(), segments.size() * sizeof(segments[0])))
        return false;
    for (const auto& segment : segments) {
        if (segment.p_type == PT_LOAD)
            segments_.push_back(
                {segment.p_offset, segment.p_vaddr, segment.p_filesz, (segment.p_flags & PF_X) != 0});
        else if (segment.p_type == PT_NOTE)
            notes_.push_back({segment.p_offset, segment.p_filesz});
        else if (segment.p_type == PT_GNU_EH_FRAME)
            unwind_table_ = segment.p_vaddr;
    }
    if (header.e_shoff && header.e_shentsize == sizeof(typename Elf::Section))
        find_tables<Elf>(header.e_shoff, header.e_shnum, header.e_shstrndx);
    return !budget().is_spent();
}

/// Tables of symbols with their names; .symtab has those of .dynsym, and more.
template <class Elf> void ElfFile::find_tables(uint64_t offset, size_t count, size_t names_index) {
    typename Elf::Section section, names, section_names{};
    if (!count && bytes_.read(offset, section)) // more than the header can say
        count = std::min<uint64_t>(section.sh_size, most_sections);
    const auto read = [&](size_t index, auto& to) { return bytes_.read(offset + index * sizeof(to), to); };
    read(names_index, section_names);
    std::vector<typename Elf::Section> sections(std::min(count, most_sections));
    count = bytes_.read_some(offset, sections.data(), sections.size() * sizeof(section)) / sizeof(section);
    sections.resize(count);
    if (!budget().parse(count))
        return;
    for (const auto& each : sections) {
        char name[sizeof(".eh_frame")] = "";
        if ((each.sh_flags & SHF_ALLOC) && each.sh_type != SHT_NOBITS &&
            bytes_.read(section_names.sh_offset + each.sh_name, name) &&
            memcmp(name, ".eh_frame", sizeof(name)) == 0)
            unwind_entries_ = {each.sh_addr, each.sh_size};
        const bool is_table = each.sh_type == SHT_SYMTAB || each.sh_type == SHT_DYNSYM;
        if (!is_table || each.sh_link >= count)
            continue;
        names = sections[each.sh_link];
        const Table table{each.sh_offset, each.sh_size, names.sh_offset, names.sh_size};
        symbols_.insert(each.sh_type == SHT_SYMTAB ? symbols_.begin() : symbols_.end(), table);
        if (symbols_.size() > 2)
            symbols_.pop_back();
    }
}

std::optional<uint64_t> ElfFile::address_of(uint64_t file_offset) const {
    for (const Segment& segment : segments_)
        if (segment.is_code && file_offset >= segment.offset &&
            file_offset - segment.offset < segment.file_size)
            return file_offset - segment.offset + segment.address;
    return std::nullopt;
}

size_t ElfFile::read_at(uint64_t address, void* to, size_t size) const {
    for (const Segment& segment : segments_) {
        const uint64_t from = address - segment.address;
        if (address >= segment.address && from < segment.file_size)
            return bytes_.read_some(segment.offset + from, to,
                                    std::min<uint64_t>(size, segment.file_size - from));
    }
    return 0;
}

/// What looking through a table has found so far of one address.
struct ElfFile::Search {
    uint64_t address;
    size_t index;        ///< among those that are looked for
    uint64_t passed = 0; ///< where the last function ends that comes before
    std::optional<uint64_t> best;
    std::vector<uint64_t> names; ///< of what begins there
    bool is_sized = false;

    void take(uint64_t begin, uint64_t size, uint64_t name) {
        if (begin > address || (!size && address - begin > longest_without_size))
            return;
        const bool is_inside = size && address - begin < size;
        if (size && !is_inside)
            passed = std::max(passed, begin + size);
        if ((size && !is_inside) || (is_sized && !is_inside))
            return;
        const bool is_new = !best || (is_inside && !is_sized) || begin > *best;
        if (!is_new && begin != *best)
            return;
        if (is_new)
            names.clear();
        best = begin;
        is_sized |= is_inside;
        if (names.size() < 16)
            names.push_back(name);
    }
    /// One without a size goes on until the next, if nothing lies between.
    bool found() const { return best && (is_sized || *best >= passed); }
};

/// The searches are in order of their addresses. False: not all of the table was looked at.
template <class Elf> bool ElfFile::search(const Table& table, std::vector<Search>& searches) const {
    using Entry = typename Elf::Symbol;
    if (table.size > most_symbol_bytes)
        return false;
    std::vector<Entry> entries(std::min<uint64_t>(chunk_bytes, table.size) / sizeof(Entry));
    for (uint64_t done = 0; done + sizeof(Entry) <= table.size;) {
        const size_t wanted = std::min<uint64_t>(table.size - done, entries.size() * sizeof(Entry));
        const size_t count = bytes_.read_some(table.offset + done, entries.data(), wanted) / sizeof(Entry);
        if (!budget().parse(count))
            return false;
        for (size_t i = 0; i < count; ++i) {
            const Entry& entry = entries[i];
            const int type = entry.st_info & 0xf;
            const bool is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
            if (entry.st_shndx == SHN_UNDEF ||
                !(is_function || (type == STT_NOTYPE && entry.st_shndx < SHN_LORESERVE)))
                continue;
            // Whom it may concern: not those that lie before it, nor those far behind its end.
            auto search = std::ranges::lower_bound(searches, entry.st_value, {}, &Search::address);
            for (; search != searches.end(); ++search) {
                const uint64_t distance = search->address - entry.st_value;
                if (distance > longest_without_size && distance - longest_without_size > entry.st_size)
                    break;
                if (!budget().parse())
                    return false;
                search->take(entry.st_value, entry.st_size, entry.st_name);
            }
        }
        done += count * sizeof(Entry);
        if (count * sizeof(Entry) < wanted / sizeof(Entry) * sizeof(Entry))
            break;
    }
    return !budget().is_spent();
}

/// The best of the names that were found.
std::string ElfFile::name_of(const Table& table, const Search& search) const {
    std::string best;
    for (const uint64_t at : search.names) {
        if (at >= table.names_size)
            continue;
        char text[longest_name];
        for (const size_t most : {size_t{256}, longest_name}) { // nearly all are short
            const size_t wanted = std::min<uint64_t>(most, table.names_size - at);
            const size_t got = bytes_.read_some(table.names + at, text, wanted);
            const std::string_view name(text, strnlen(text, got));
            if (!name.empty() && name.size() < got && (best.empty() || is_better_name(name, best)))
                best = name;
            if (name.size() < got || got < most)
                break;
        }
    }
    return best;
}

ElfFile::Symbols ElfFile::find_symbols(const std::vector<uint64_t>& addresses) const {
    Symbols symbols;
    symbols.found.resize(addresses.size());
    for (const Table& table : symbols_) {
        std::vector<Search> searches;
        for (size_t i = 0; i < addresses.size(); ++i)
            if (!symbols.found[i])
                searches.push_back({.address = addresses[i], .index = i, .best = {}, .names = {}});
        std::ranges::sort(searches, {}, &Search::address);
        if (!(is_64_ ? search<Elf64>(table, searches) : search<Elf32>(table, searches))) {
            symbols.is_whole = false;
            continue;
        }
        for (const Search& search : searches)
            if (std::string name = search.found() ? name_of(table, search) : std::string(); !name.empty())
                symbols.found[search.index] = {std::move(name), *search.best};
    }
    symbols.is_whole = symbols.is_whole && !budget().is_spent();
    return symbols;
}

std::string ElfFile::build_id() const {
    constexpr char digits[] = "0123456789abcdef";
    for (const FileRange& range : notes_) {
        std::string notes(std::min<uint64_t>(range.size, most_note_bytes), '\0');
        notes.resize(bytes_.read_some(range.offset, notes.data(), notes.size()));
        for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size() && budget().parse();) {
            Elf64_Nhdr note; // the same in both classes
            memcpy(&note, notes.data() + at, sizeof(note));
            const uint64_t name = at + sizeof(note);
            const uint64_t content = name + ((uint64_t{note.n_namesz} + 3) & ~3ull);
            const uint64_t next = content + ((uint64_t{note.n_descsz} + 3) & ~3ull);
            if (content + note.n_descsz > notes.size())
                break;
            const bool is_gnu =
                std::string_view(notes).substr(name, note.n_namesz) == std::string_view("GNU\0", 4);
            if (note.n_type == NT_GNU_BUILD_ID && is_gnu && note.n_descsz <= longest_build_id) {
                std::string id;
                for (const char c : std::string_view(notes).substr(content, note.n_descsz)) {
                    id += digits[static_cast<unsigned char>(c) >> 4];
                    id += digits[c & 0xf];
                }
                return id;
            }
            at = next;
        }
    }
    return {};
}

} // namespace telemetry
