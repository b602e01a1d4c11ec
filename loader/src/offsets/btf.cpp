// SPDX-License-Identifier: LGPL-2.1
// Offsets from BTF: one pass over the types finds the structures by name, then
// every path is looked up in its own.
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "loader/src/base/btf_ptr.hpp"
#include "loader/src/base/kernel_btf.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/offsets/offset_resolver.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace ebpf_loader {
namespace {

/// Finds members in one BTF. A file may be damaged: every id and name is checked, and
/// nothing recurses without bounds.
class MemberFinder {
  public:
    explicit MemberFinder(const btf* types) : types_(types) {}

    std::optional<uint32_t> offset(uint32_t structure, const std::vector<std::string_view>& members) {
        Position at{structure, 0};
        for (std::string_view name : members) {
            budget_ = 100000;
            std::optional<Position> next = find(at.type, name, 0);
            if (!next)
                return std::nullopt;
            at = {next->type, at.bits + next->bits};
        }
        if (at.bits % 8 != 0 || at.bits / 8 > UINT32_MAX)
            return std::nullopt; // a bitfield that no byte offset can name
        return static_cast<uint32_t>(at.bits / 8);
    }

  private:
    struct Position {
        uint32_t type; ///< of the member, without const, typedef and such
        uint64_t bits; ///< from the start of the structure
    };

    std::optional<Position> find(uint32_t id, std::string_view name, int depth) {
        const btf_type* type = btf__type_by_id(types_, id);
        if (!type || !btf_is_composite(type) || depth > 16)
            return std::nullopt;
        const btf_member* members = btf_members(type);
        for (uint32_t i = 0; i < btf_vlen(type); ++i) {
            const char* member = btf__name_by_offset(types_, members[i].name_off);
            if (!member || --budget_ < 0)
                return std::nullopt;
            const uint64_t bits = btf_member_bit_offset(type, i);
            const uint32_t member_type = skip_modifiers(members[i].type);
            if (name == member)
                return Position{member_type, bits};
            if (*member)
                continue;
            if (std::optional<Position> inner = find(member_type, name, depth + 1))
                return Position{inner->type, bits + inner->bits};
        }
        return std::nullopt;
    }

    uint32_t skip_modifiers(uint32_t id) const {
        for (int i = 0; i < 32; ++i) {
            const btf_type* type = btf__type_by_id(types_, id);
            if (!type || !(btf_is_mod(type) || btf_is_typedef(type)))
                break;
            id = type->type;
        }
        return id;
    }

    const btf* types_;
    int budget_ = 0; ///< members still to be looked at: an end to any nesting
};

void offer_structures(const btf* types, OffsetResolver& resolver) {
    MemberFinder finder(types);
    const uint32_t count = btf__type_cnt(types);
    for (uint32_t id = 1; id < count; ++id) {
        const btf_type* type = btf__type_by_id(types, id);
        if (!type || !btf_is_struct(type))
            continue;
        const char* name = btf__name_by_offset(types, type->name_off);
        if (name && resolver.wants(name))
            resolver.offer(name, [&](const auto& members) { return finder.offset(id, members); });
    }
}

std::shared_ptr<const btf> read_kernel_btf() {
    const std::string path = kernel_btf_path();
    if (access(path.c_str(), F_OK) != 0)
        throw Error(ErrorCode::offsets, "This kernel has no BTF: there is no " + path + ".",
                    ErrorCause::kernel_btf_missing);
    std::shared_ptr<const btf> types = kernel_btf();
    if (!types)
        throw Error(ErrorCode::offsets,
                    "Cannot read the kernel's BTF, " + path + ": " + std::strerror(errno) + ".",
                    ErrorCause::kernel_btf_unreadable);
    return types;
}

std::shared_ptr<const btf> read_btf_file(const std::string& file) {
    if (access(file.c_str(), R_OK) != 0)
        throw Error(ErrorCode::offsets, "Cannot read " + file + ": " + std::strerror(errno) + ".");
    LibbpfQuiet quiet;
    BtfPtr types(btf__parse_raw(file.c_str()));
    if (!types && errno == EPROTO) { // libbpf's own way into an ELF file trusts what its headers say
        errno = ENOENT;
        visit_section(file, ".BTF", [&](std::string_view bytes) {
            types.reset(btf__new(bytes.data(), static_cast<uint32_t>(bytes.size())));
        });
    }
    if (!types)
        throw Error(ErrorCode::offsets,
                    "There is no BTF in " + file +
                        (errno == ENOENT ? std::string() : std::string(" (") + std::strerror(errno) + ")") +
                        ".",
                    ErrorCause::file_without_btf);
    return types;
}

} // namespace

Offsets Offsets::from_btf(const std::string& file) {
    Offsets offsets;
    const std::shared_ptr<const btf> types = file.empty() ? read_kernel_btf() : read_btf_file(file);
    offsets.release = file.empty() ? running_release() : release_of_image(file);
    offsets.source = file.empty() ? "BTF of the running kernel" : "BTF of " + file;
    OffsetResolver resolver;
    offer_structures(types.get(), resolver);
    resolver.store(offsets);
    return offsets;
}

} // namespace ebpf_loader
