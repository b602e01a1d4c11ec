// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/elf/byte_source.hpp"

namespace telemetry {

/// An executable or a shared library, whoever made it: every number in it is checked, and what it costs to
/// look is charged to the budget of its source. Addresses are the file's own. libelf is not used: it reads
/// whole sections into memory, which a file can make as large as it likes.
class ElfFile {
  public:
    enum class Machine : uint8_t { native, i386 };

    /// Absent if it is no such file for this kind of machine, or costs too much.
    static std::optional<ElfFile> open(ByteSource bytes);

    Machine machine() const { return machine_; }
    /// Bytes of an address in its tables.
    size_t address_size() const { return is_64_ ? 8 : 4; }

    /// The address of the code at this offset of the file.
    std::optional<uint64_t> address_of(uint64_t file_offset) const;
    /// What is at an address once it is loaded, as far as the file has it.
    size_t read_at(uint64_t address, void* to, size_t size) const;
    /// The address of the table .eh_frame_hdr; 0: the file has no such table.
    uint64_t unwind_table() const { return unwind_table_; }
    /// The table .eh_frame, where a section says so: programs that are linked statically have no index of it.
    struct Range {
        uint64_t address = 0, size = 0;
    };
    Range unwind_entries() const { return unwind_entries_; }

    struct Symbol {
        std::string name; ///< as it stands in the file
        uint64_t address = 0;
    };
    struct Symbols {
        std::vector<std::optional<Symbol>> found; ///< of each address
        bool is_whole = true; ///< false: not all could be looked at, and what was not found may be there
    };
    /// The functions that some addresses are in, searched all at once.
    Symbols find_symbols(const std::vector<uint64_t>& addresses) const;
    /// In hexadecimal; empty: the file has no build id.
    std::string build_id() const;
    WorkBudget& budget() const { return bytes_.budget(); }

    static constexpr size_t most_segments = 128;
    static constexpr size_t most_sections = 4096;
    static constexpr uint64_t most_symbol_bytes = 12u << 20; ///< of a table: half a million symbols
    static constexpr size_t longest_name = 4096;

  private:
    struct Segment {
        uint64_t offset, address, file_size;
        bool is_code;
    };
    struct FileRange {
        uint64_t offset, size;
    };
    struct Table {
        uint64_t offset, size, names, names_size;
    };
    struct Search;

    explicit ElfFile(ByteSource bytes) : bytes_(std::move(bytes)) {}
    template <class Elf> bool load();
    template <class Elf> void find_tables(uint64_t offset, size_t count, size_t names);
    template <class Elf> bool search(const Table& table, std::vector<Search>& searches) const;
    std::string name_of(const Table& table, const Search& search) const;

    ByteSource bytes_;
    bool is_64_ = true;
    Machine machine_ = Machine::native;
    std::vector<Segment> segments_;
    std::vector<FileRange> notes_;
    std::vector<Table> symbols_; ///< the fullest first
    uint64_t unwind_table_ = 0;
    Range unwind_entries_;
};

} // namespace telemetry
