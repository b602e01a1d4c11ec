// SPDX-License-Identifier: MIT
// The tables are specified by the Linux Standard Base (.eh_frame, .eh_frame_hdr) and by DWARF.
#include "telemetry/stack/unwind_table.hpp"

#include <map>
#include <string>
#include <vector>

#include "telemetry/stack/dwarf_reader.hpp"

namespace telemetry {
namespace {

constexpr size_t longest_entry = 64 * 1024;
constexpr uint64_t most_entries = 16u << 20;
constexpr uint64_t most_entry_bytes = 8u << 20; ///< where they have to be searched
constexpr size_t most_remembered = 16;

/// An entry of .eh_frame without its length; empty at the end of the table, or where it cannot be read.
std::string read_entry(const ElfFile& file, uint64_t& address) {
    uint32_t length = 0;
    if (file.read_at(address, &length, sizeof(length)) != sizeof(length) || length > longest_entry)
        return {};
    address += sizeof(length);
    std::string entry(length, '\0');
    if (file.read_at(address, entry.data(), length) != length)
        return {};
    return entry;
}

/// The address of the last entry whose function begins at the address or before; 0: there is no entry.
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

/// What entries have in common.
struct Common {
    uint64_t code_factor = 1;
    int64_t data_factor = 1;
    uint64_t return_register = 0;
    uint8_t encoding = PointerEncoding::absolute;
    bool has_data = false;
    bool is_signal_frame = false;
    std::string entry;
    uint64_t address = 0; ///< of the instructions
    size_t instructions = 0;
};

std::optional<Common> read_common(const ElfFile& file, uint64_t address) {
    Common common;
    common.entry = read_entry(file, address);
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

/// Searches an entry without the help of an index. Returns its address; 0: there is no entry.
uint64_t search_entry(const ElfFile& file, uint64_t address) {
    const auto [begin, size] = file.unwind_entries();
    if (!size || size > most_entry_bytes)
        return 0;
    std::string entries(size, '\0');
    entries.resize(file.read_at(begin, entries.data(), entries.size()));
    std::map<uint64_t, std::optional<Common>> commons; // there are a few
    for (size_t at = 0; at + 2 * sizeof(uint32_t) <= entries.size();) {
        DwarfReader reader(std::string_view(entries).substr(at), begin + at, file.address_size());
        const uint64_t length = reader.number<uint32_t>(), id_address = reader.address();
        const uint64_t back = reader.number<uint32_t>();
        if (!length || length > longest_entry)
            return 0;
        if (back) {
            const auto [common, is_new] = commons.try_emplace(id_address - back);
            if (is_new)
                common->second = read_common(file, id_address - back);
            const uint8_t encoding = common->second ? common->second->encoding : PointerEncoding::absolute;
            const uint64_t first = reader.pointer(encoding & 0x7f), count = reader.pointer(encoding & 0x0f);
            if (common->second && !reader.failed() && address >= first && address - first < count)
                return begin + at;
        }
        at += sizeof(uint32_t) + length;
    }
    return 0;
}

/// Follows the instructions of an entry, up to the one for an address.
class Interpreter {
  public:
    Interpreter(const Common& common, uint64_t begin, uint64_t wanted)
        : common_(common), code_address_(begin), wanted_(wanted) {
        row_.return_register = common.return_register;
        row_.is_signal_frame = common.is_signal_frame;
    }

    /// False where an instruction is not understood.
    bool run(DwarfReader reader) {
        while (!reader.at_end() && code_address_ <= wanted_)
            if (!step(reader))
                return false;
        return !reader.failed();
    }
    void keep_initial() { initial_ = row_; }
    const UnwindRules& row() const { return row_; }

  private:
    using How = UnwindRules::How;

    bool step(DwarfReader& reader) {
        const auto code = reader.number<uint8_t>();
        const uint8_t low = code & 0x3f;
        switch (code & 0xc0) {
        case 0x40:
            return advance(low);
        case 0x80:
            return set(low, How::at, factored(reader.uleb128()));
        case 0xc0:
            return restore(low);
        }
        return extended(code, reader);
    }

    bool extended(uint8_t code, DwarfReader& reader) {
        switch (code) {
        case 0x00: // nop
            return true;
        case 0x01: // set_loc
            code_address_ = reader.pointer(common_.encoding);
            return true;
        case 0x02:
            return advance(reader.number<uint8_t>());
        case 0x03:
            return advance(reader.number<uint16_t>());
        case 0x04:
            return advance(reader.number<uint32_t>());
        case 0x06: // restore_extended
            return restore(reader.uleb128());
        case 0x0a: // remember_state
            remembered_.push_back(row_);
            return remembered_.size() <= most_remembered;
        case 0x0b: // restore_state
            if (remembered_.empty())
                return false;
            row_ = remembered_.back();
            remembered_.pop_back();
            return true;
        case 0x0c: // def_cfa
            row_.frame_register = reader.uleb128();
            row_.frame_offset = static_cast<int64_t>(reader.uleb128());
            row_.frame_is_stored = false;
            return true;
        case 0x0d: // def_cfa_register
            row_.frame_register = reader.uleb128();
            return true;
        case 0x0e: // def_cfa_offset
            row_.frame_offset = static_cast<int64_t>(reader.uleb128());
            return true;
        case 0x0f: // def_cfa_expression
            row_.frame_is_stored = expression(reader, row_.frame_register, row_.frame_offset);
            return true;
        case 0x12: // def_cfa_sf
            row_.frame_register = reader.uleb128();
            row_.frame_offset = factored(static_cast<uint64_t>(reader.sleb128()));
            row_.frame_is_stored = false;
            return true;
        case 0x13: // def_cfa_offset_sf
            row_.frame_offset = factored(static_cast<uint64_t>(reader.sleb128()));
            return true;
        case 0x2e: // GNU_args_size
            reader.uleb128();
            return true;
        }
        return of_register(code, reader);
    }

    bool of_register(uint8_t code, DwarfReader& reader) {
        const uint64_t number = reader.uleb128();
        switch (code) {
        case 0x05: // offset_extended
            return set(number, How::at, factored(reader.uleb128()));
        case 0x07:
            return set(number, How::undefined, 0);
        case 0x08:
            return set(number, How::same, 0);
        case 0x09:
            return set(number, How::in, static_cast<int64_t>(reader.uleb128()));
        case 0x10: // expression
            return set_stored(number, reader);
        case 0x16: // val_expression
            reader.skip(reader.uleb128());
            return set(number, How::unknown, 0);
        case 0x11: // offset_extended_sf
            return set(number, How::at, factored(static_cast<uint64_t>(reader.sleb128())));
        case 0x14: // val_offset
            return set(number, How::is, factored(reader.uleb128()));
        case 0x15: // val_offset_sf
            return set(number, How::is, factored(static_cast<uint64_t>(reader.sleb128())));
        }
        return false;
    }

    bool advance(uint64_t units) {
        code_address_ += units * common_.code_factor;
        return true;
    }
    /// Registers that are not followed, as those of vectors, do not matter.
    bool set(uint64_t number, How how, int64_t offset) {
        if (number < unwind_registers)
            row_.rules[number] = {.how = how, .offset = offset};
        return true;
    }
    bool set_stored(uint64_t number, DwarfReader& reader) {
        UnwindRules::Rule rule{.how = How::at_own};
        if (expression(reader, rule.base, rule.offset))
            rule.base = unwind_registers;
        if (rule.base >= unwind_registers)
            rule.how = How::unknown;
        if (number < unwind_registers)
            row_.rules[number] = rule;
        return true;
    }
    /// What compilers write: a register and an offset, and maybe "what stands there" (true). Anything
    /// else is no register.
    static bool expression(DwarfReader& reader, uint64_t& base, int64_t& offset) {
        constexpr uint8_t breg0 = 0x70, deref = 0x06;
        const uint64_t length = reader.uleb128();
        const size_t begin = reader.position();
        base = unwind_registers;
        DwarfReader inside(reader.rest().substr(0, length), 0, 8);
        reader.skip(length);
        const auto code = inside.number<uint8_t>();
        const int64_t added = inside.sleb128();
        const bool is_stored = !inside.at_end() && inside.number<uint8_t>() == deref;
        if (inside.failed() || !inside.rest().empty() || reader.position() != begin + length)
            return false;
        if (code >= breg0 && code - breg0 < static_cast<int>(unwind_registers)) {
            base = static_cast<uint64_t>(code - breg0);
            offset = added;
        }
        return is_stored;
    }
    bool restore(uint64_t number) {
        if (number < unwind_registers)
            row_.rules[number] = initial_.rules[number];
        return true;
    }
    int64_t factored(uint64_t value) const {
        return static_cast<int64_t>(value * static_cast<uint64_t>(common_.data_factor));
    }

    const Common& common_;
    uint64_t code_address_, wanted_;
    UnwindRules row_, initial_;
    std::vector<UnwindRules> remembered_;
};

} // namespace

std::optional<UnwindRules> find_unwind_rules(const ElfFile& file, uint64_t address) {
    uint64_t at = file.unwind_table() ? find_entry(file, address) : search_entry(file, address);
    const std::string entry = at ? read_entry(file, at) : std::string();
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
    Interpreter interpreter(*common, begin, address);
    const std::string_view initial = std::string_view(common->entry).substr(common->instructions);
    if (!interpreter.run(DwarfReader(initial, common->address, file.address_size())))
        return std::nullopt;
    interpreter.keep_initial();
    if (!interpreter.run(DwarfReader(reader.rest(), reader.address(), file.address_size())))
        return std::nullopt;
    return interpreter.row();
}

} // namespace telemetry
