// SPDX-License-Identifier: MIT
// Structures are described again in each compilation unit that uses them; reading
// stops as soon as all are known, mostly after a few units out of thousands.
#include "get_offsets/dwarf.hpp"

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/kernel_image.hpp"
#include "loader/src/offsets/offset_resolver.hpp"

#include <cerrno>
#include <cstring>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <memory>

namespace {

using namespace ebpf_loader;

struct Position {
    Dwarf_Die type;
    uint64_t bits; ///< from the start of the structure
};

std::optional<uint64_t> number(Dwarf_Die* entry, unsigned int name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (!dwarf_attr(entry, name, &attribute) || dwarf_formudata(&attribute, &value) != 0)
        return std::nullopt;
    return value;
}

/// DWARF before version 3 gives the place of a member as an expression: DW_OP_plus_uconst N.
std::optional<uint64_t> location(Dwarf_Die* member) {
    Dwarf_Attribute attribute;
    if (!dwarf_attr(member, DW_AT_data_member_location, &attribute))
        return 0; // of a union, or a bitfield of DWARF 4
    if (std::optional<uint64_t> bytes = number(member, DW_AT_data_member_location))
        return bytes;
    Dwarf_Op* operations = nullptr;
    size_t count = 0;
    if (dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1 ||
        operations[0].atom != DW_OP_plus_uconst)
        return std::nullopt;
    return operations[0].number;
}

/// Bits from the start of the structure that holds the member.
std::optional<uint64_t> bit_position(Dwarf_Die* member) {
    if (std::optional<uint64_t> bits = number(member, DW_AT_data_bit_offset))
        return bits;
    const std::optional<uint64_t> bytes = location(member);
    if (!bytes)
        return std::nullopt;
    // Older bitfields count from the highest bit of their storage.
    const std::optional<uint64_t> from_top = number(member, DW_AT_bit_offset);
    const std::optional<uint64_t> width = number(member, DW_AT_bit_size);
    const std::optional<uint64_t> storage = number(member, DW_AT_byte_size);
    if (!from_top || !width || !storage)
        return 8 * *bytes;
    return 8 * (*bytes + *storage) - *from_top - *width;
}

/// The type of an entry without typedef, const and such.
bool type_of(Dwarf_Die* entry, Dwarf_Die* type) {
    Dwarf_Attribute attribute;
    return dwarf_attr(entry, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, type) &&
           dwarf_peel_type(type, type) == 0;
}

/// A member of a structure or of the unnamed ones in it.
std::optional<Position> find_member(Dwarf_Die* structure, std::string_view name, int depth) {
    const int tag = dwarf_tag(structure);
    Dwarf_Die member;
    if ((tag != DW_TAG_structure_type && tag != DW_TAG_union_type) || depth > 16 ||
        dwarf_child(structure, &member) != 0)
        return std::nullopt;
    do {
        if (dwarf_tag(&member) != DW_TAG_member)
            continue;
        Position at{};
        const char* own_name = dwarf_diename(&member);
        const std::optional<uint64_t> bits = bit_position(&member);
        if ((own_name && name != own_name) || !bits || !type_of(&member, &at.type))
            continue;
        if (own_name)
            return Position{at.type, *bits};
        if (std::optional<Position> inner = find_member(&at.type, name, depth + 1))
            return Position{inner->type, *bits + inner->bits};
    } while (dwarf_siblingof(&member, &member) == 0);
    return std::nullopt;
}

std::optional<uint32_t> member_offset(Dwarf_Die structure, const std::vector<std::string_view>& members) {
    Position at{structure, 0};
    for (std::string_view name : members) {
        std::optional<Position> next = find_member(&at.type, name, 0);
        if (!next)
            return std::nullopt;
        at = {next->type, at.bits + next->bits};
    }
    if (at.bits % 8 != 0 || at.bits / 8 > UINT32_MAX)
        return std::nullopt; // a bitfield that no byte offset can name
    return static_cast<uint32_t>(at.bits / 8);
}

void offer_unit(Dwarf_Die* unit, OffsetResolver& resolver) {
    Dwarf_Die entry;
    if (dwarf_child(unit, &entry) != 0)
        return;
    do {
        if (dwarf_tag(&entry) != DW_TAG_structure_type)
            continue;
        const char* name = dwarf_diename(&entry);
        if (name && resolver.wants(name) && !dwarf_hasattr(&entry, DW_AT_declaration))
            resolver.offer(name, [&](const auto& members) { return member_offset(entry, members); });
    } while (dwarf_siblingof(&entry, &entry) == 0);
}

} // namespace

Offsets offsets_from_dwarf(const std::string& file) {
    const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        throw Error(ErrorCode::offsets, "Cannot open " + file + ": " + std::strerror(errno) + ".");
    const std::unique_ptr<Dwarf, int (*)(Dwarf*)> dwarf(dwarf_begin(fd.get(), DWARF_C_READ), dwarf_end);
    if (!dwarf)
        throw Error(ErrorCode::offsets,
                    "There is neither BTF nor DWARF in " + file + " (" + dwarf_errmsg(-1) +
                        ").\nGive an uncompressed vmlinux with debug information; distributions have it in a "
                        "package of its own (linux-image-...-dbg, kernel-debuginfo).");
    OffsetResolver resolver;
    Dwarf_CU* unit = nullptr;
    Dwarf_Die root;
    while (!resolver.complete() &&
           dwarf_get_units(dwarf.get(), unit, &unit, nullptr, nullptr, &root, nullptr) == 0)
        offer_unit(&root, resolver);
    Offsets offsets;
    offsets.release = release_of_image(file);
    offsets.source = "DWARF of " + file;
    resolver.store(offsets);
    return offsets;
}
