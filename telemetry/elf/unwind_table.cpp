// SPDX-License-Identifier: MIT
// The tables are specified by the Linux Standard Base (.eh_frame, .eh_frame_hdr) and by DWARF.
#include "telemetry/elf/unwind_table.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "telemetry/elf/dwarf_reader.hpp"
#include "telemetry/elf/unwind_interpreter.hpp"

namespace telemetry {
namespace {

constexpr size_t longest_entry = 64 * 1024;
constexpr size_t longest_common = 4096;
constexpr uint64_t most_entries = 16u << 20;
constexpr uint64_t most_entry_bytes = 8u << 20; ///< where they have to be searched
constexpr uint64_t entry_cost = 4;              ///< of Work::entries, where a symbol is 1

/// An entry of .eh_frame without its length: empty if there is none, or the last.
std::string read_entry(const ElfFile& file, uint64_t& address, size_t longest) {
    uint32_t length = 0;
    if (!file.budget().parse(entry_cost) ||
        file.read_at(address, &length, sizeof(length)) != sizeof(length) || length > longest)
        return {};
    address += sizeof(length);
    std::string entry(length, '\0');
    if (file.read_at(address, entry.data(), length) != length)
        return {};
    return entry;
}

/// Where the entry is that comes last of those that begin at the address or before.
uint64_t find_entry(const ElfFile& file, uint64_t address) {
    const uint64_t table = file.unwind_table();
    char head[32];
    const size_t got = table ? file.read_at(table, head, sizeof(head)) : 0;
    DwarfReader reader({head, got}, table, file.address_size());
    const auto version = reader.number<uint8_t>(), frame_encoding = reader.number<uint8_t>(),
               count_encoding = reader.number<uint8_t>(), entry_encoding = reader.number<uint8_t>();
    if (version != 1 || entry_encoding != (PointerEncoding::relative_to_table | PointerEncoding::sdata4) ||
        count_encoding == PointerEncoding::omitted)
        return 0;
    reader.pointer(frame_encoding, table);
    const uint64_t count = reader.pointer(count_encoding, table);
    if (reader.failed() || count > most_entries)
        return 0;
    struct {
        int32_t begin, entry;
    } found{};
    const auto absolute = [&](int32_t offset) {
        const uint64_t sum = table + static_cast<uint64_t>(int64_t{offset});
        return file.address_size() == 4 ? static_cast<uint32_t>(sum) : sum;
    };
    uint64_t low = 0, high = count; // the entry at low begins at or before the address, that at high after
    const auto read = [&](uint64_t index) {
        return file.read_at(reader.address() + index * sizeof(found), &found, sizeof(found)) == sizeof(found);
    };
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (!read(middle))
            return 0;
        (absolute(found.begin) <= address ? low : high) = middle;
    }
    if (!count || !read(low) || absolute(found.begin) > address)
        return 0;
    return absolute(found.entry);
}

std::optional<CommonEntry> read_common(const ElfFile& file, uint64_t address) {
    CommonEntry common;
    common.entry = read_entry(file, address, longest_common);
    DwarfReader reader(common.entry, address, file.address_size());
    const auto id = reader.number<uint32_t>();
    const auto version = reader.number<uint8_t>();
    const std::string_view augmentation = reader.text();
    common.code_factor = reader.uleb128();
    common.data_factor = reader.sleb128();
    common.return_register = version == 1 ? reader.number<uint8_t>() : reader.uleb128();
    if (reader.failed() || id != 0 || (version != 1 && version != 3))
        return std::nullopt;
    if (!augmentation.empty() && augmentation[0] != 'z')
        return std::nullopt;
    common.has_data = !augmentation.empty();
    const uint64_t length = common.has_data ? reader.uleb128() : 0;
    const size_t data = reader.position();
    for (const char letter : augmentation) {
        if (letter == 'R')
            common.encoding = reader.number<uint8_t>();
        else if (letter == 'L')
            reader.number<uint8_t>();
        else if (letter == 'S')
            common.is_signal_frame = true;
        else if (letter == 'P')
            reader.pointer(reader.number<uint8_t>() & 0x7f);
        else if (letter != 'z' && letter != 'B')
            return std::nullopt;
    }
    if (reader.failed() || length > common.entry.size() - data)
        return std::nullopt;
    common.instructions = data + length;
    common.address = address + common.instructions;
    return common;
}

/// The entries one after the other, read in pieces.
class Entries {
  public:
    explicit Entries(const ElfFile& file)
        : file_(file), begin_(file.unwind_entries().address), size_(file.unwind_entries().size) {}

    /// What is there, from the entry at `at` on: all of its head, if not of the entry.
    DwarfReader head(uint64_t at) {
        if (at < piece_at_ || at - piece_at_ + longest_head > piece_.size()) {
            piece_at_ = at;
            piece_.resize(std::min<uint64_t>(piece_bytes, size_ - at));
            piece_.resize(file_.read_at(begin_ + at, piece_.data(), piece_.size()));
        }
        const std::string_view rest = std::string_view(piece_).substr(at - piece_at_);
        return {rest.substr(0, longest_head), begin_ + at, file_.address_size()};
    }
    uint64_t begin() const { return begin_; }
    uint64_t size() const { return size_; }

  private:
    static constexpr size_t longest_head = 64, piece_bytes = 64 * 1024;

    const ElfFile& file_;
    uint64_t begin_, size_;
    std::string piece_;
    uint64_t piece_at_ = 0;
};

/// How the entries point that have something in common. There are a few kinds of them, in turn.
class Encodings {
  public:
    explicit Encodings(const ElfFile& file) : file_(file) {}

    std::optional<uint8_t> of(uint64_t common) {
        Known& known = known_[common / 4 % known_.size()];
        if (known.address != common) {
            const auto read = read_common(file_, common);
            known = {common, read ? std::optional(read->encoding) : std::nullopt};
        }
        return known.encoding;
    }

  private:
    struct Known {
        uint64_t address = 0;
        std::optional<uint8_t> encoding;
    };
    const ElfFile& file_;
    std::array<Known, 64> known_;
};

/// An entry of which nobody knows where it is. Returns its address.
uint64_t search_entry(const ElfFile& file, uint64_t address) {
    Entries entries(file);
    if (entries.size() > most_entry_bytes)
        return 0;
    Encodings encodings(file);
    for (uint64_t at = 0; at + 2 * sizeof(uint32_t) <= entries.size() && file.budget().parse(entry_cost);) {
        DwarfReader reader = entries.head(at);
        const uint64_t length = reader.number<uint32_t>(), place = reader.address();
        const uint64_t back = reader.number<uint32_t>();
        if (reader.failed() || !length || length > longest_entry)
            return 0;
        if (const auto encoding = back ? encodings.of(place - back) : std::nullopt) {
            const uint64_t first = reader.pointer(*encoding & 0x7f), count = reader.pointer(*encoding & 0x0f);
            if (!reader.failed() && address >= first && address - first < count)
                return entries.begin() + at;
        }
        at += sizeof(uint32_t) + length;
    }
    return 0;
}

} // namespace

std::optional<UnwindRules> find_unwind_rules(const ElfFile& file, uint64_t address) {
    uint64_t at = file.unwind_table() ? find_entry(file, address) : search_entry(file, address);
    const std::string entry = at ? read_entry(file, at, longest_entry) : std::string();
    DwarfReader reader(entry, at, file.address_size());
    const uint64_t back = reader.number<uint32_t>();
    if (reader.failed() || back == 0)
        return std::nullopt;
    const auto common = read_common(file, at - back);
    if (!common)
        return std::nullopt;
    const uint64_t begin = reader.pointer(common->encoding & 0x7f);
    const uint64_t length = reader.pointer(common->encoding & 0x0f);
    if (common->has_data)
        reader.skip(reader.uleb128());
    if (reader.failed() || address < begin || address - begin >= length)
        return std::nullopt;
    UnwindInterpreter interpreter(*common, begin, address, file.budget());
    const std::string_view initial = std::string_view(common->entry).substr(common->instructions);
    if (!interpreter.run(DwarfReader(initial, common->address, file.address_size())))
        return std::nullopt;
    interpreter.keep_initial();
    if (!interpreter.run(DwarfReader(reader.rest(), reader.address(), file.address_size())))
        return std::nullopt;
    return interpreter.row();
}

} // namespace telemetry
