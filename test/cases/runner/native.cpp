// SPDX-License-Identifier: MIT
#include "test/cases/runner/native.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <ebpf_loader/syscalls.hpp>

namespace {

struct Pair {
    std::string_view plain, with_directory;
};
/// Constant, since the cases are read before main.
constexpr Pair pairs[] = {{"open", "openat"},      {"creat", "openat"},  {"unlink", "unlinkat"},
                          {"rmdir", "unlinkat"},   {"mkdir", "mkdirat"}, {"chmod", "fchmodat"},
                          {"symlink", "symlinkat"}};

std::string native_call(const std::string& name) {
    const ebt_abi native = ebpf_loader::machine_abis().front();
    const auto* const pair = std::ranges::find(pairs, name, &Pair::plain);
    if (pair == std::end(pairs) || ebpf_loader::machine_abis_of(name) & 1 << native)
        return name;
    return std::string(pair->with_directory);
}

} // namespace

std::string native_rule(const std::string& rule) {
    const size_t end = rule.find(' ');
    return native_call(rule.substr(0, end)) + (end == rule.npos ? "" : rule.substr(end));
}

std::string native_field(const std::string& field) {
    constexpr std::string_view name = "syscall=";
    return field.starts_with(name) ? std::string(name) + native_call(field.substr(name.size())) : field;
}

bool is_machine(const std::string& word) {
    return word == ebpf_loader::abi_name(EBT_X86_64) || word == ebpf_loader::abi_name(EBT_AARCH64);
}

bool is_this_machine(const std::string& word) {
    return word == ebpf_loader::abi_name(ebpf_loader::machine_abis().front());
}
