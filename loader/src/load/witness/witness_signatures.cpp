// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/witness/witness_signatures.hpp"

#include "loader/src/base/kernel_btf.hpp"
#include "loader/src/base/kernel_image.hpp"

#include <optional>
#include <string_view>

namespace ebpf_loader {
namespace {

struct Signature {
    const char* function;
    Feature dentry_is_second;
    int major, minor; ///< since which Linux
};

constexpr Signature signatures[] = {
    {"security_inode_setattr", Feature::setattr_idmap, 6, 0},
    {"security_inode_setxattr", Feature::setxattr_idmap, 5, 12},
    {"security_inode_removexattr", Feature::removexattr_idmap, 5, 12},
};

/// Is the function's first argument a pointer to a struct dentry? nullopt: the BTF does not know it.
std::optional<bool> begins_with_dentry(const btf* types, const char* function) {
    const int id = btf__find_by_name_kind(types, function, BTF_KIND_FUNC);
    if (id <= 0)
        return std::nullopt;
    const btf_type* prototype =
        btf__type_by_id(types, btf__type_by_id(types, static_cast<uint32_t>(id))->type);
    if (!btf_is_func_proto(prototype) || btf_vlen(prototype) < 2)
        return std::nullopt;
    const btf_type* first = btf__type_by_id(types, btf_params(prototype)[0].type);
    if (!btf_is_ptr(first))
        return false;
    const btf_type* target = btf__type_by_id(types, first->type);
    return btf_is_struct(target) &&
           std::string_view(btf__name_by_offset(types, target->name_off)) == "dentry";
}

} // namespace

void find_witness_signatures(Features& features) {
    const std::shared_ptr<const btf> types = kernel_btf();
    for (const Signature& signature : signatures) {
        const auto begins = types ? begins_with_dentry(types.get(), signature.function) : std::nullopt;
        if (begins ? !*begins : is_running_since(signature.major, signature.minor))
            features[signature.dentry_is_second] = 0;
    }
}

} // namespace ebpf_loader
