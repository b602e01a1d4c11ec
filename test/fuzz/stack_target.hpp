// SPDX-License-Identifier: MIT
// What must hold for any file, memory, registers, name and table that a stack is made of; run by the fuzzer,
// and by the unit tests over the corpus. The first byte of an input says what the rest of it is.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <memory>
#include <string>
#include <string_view>

#include "telemetry/elf/demangle.hpp"
#include "telemetry/elf/elf.hpp"
#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/mounts.hpp"
#include "telemetry/stack/unwinder.hpp"
#include "telemetry/stack/walk.hpp"
#include "test/unit/support/registers.hpp"

namespace stack_fuzz {

using namespace telemetry;

[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// What goes beyond a limit is what the last step took at once.
inline void check_work(const Work& used, const Work& limit) {
    if (used.reads > limit.reads + 1 || used.bytes > limit.bytes + (1u << 20) ||
        used.entries > limit.entries + (1u << 16))
        broken("more work than the limit");
}

/// The way up through a file that is mapped at an address, and the names on it.
inline void walk(std::string_view memory, std::string_view bytes, bool is_32_bits) {
    constexpr uint64_t place = 0x10000;
    const StackLimits limits;
    WorkBudget budget(limits.stack);
    const auto file = ElfFile::open(ByteSource(std::string(bytes), budget));
    UserStack stack;
    memcpy(&stack.registers, memory.data(), std::min(sizeof(stack.registers), memory.size()));
    registers::set_width(stack.registers, is_32_bits);
    registers::ip(stack.registers) = place + registers::ip(stack.registers) % (bytes.size() + 1);
    stack.memory = memory;
    Unwinder unwinder(stack);
    std::vector<uint64_t> addresses;
    for (size_t frames = 0; frames < limits.frames && !budget.is_spent(); ++frames) {
        const auto address = file ? file->address_of(unwinder.code_address() - place) : std::nullopt;
        if (address)
            addresses.push_back(*address);
        const WorkBudget::Operation operation(budget, limits.unwinding);
        const auto rules = address ? find_unwind_rules(*file, *address) : std::nullopt;
        if ((rules ? unwinder.step(*rules) : unwinder.step_by_frame_pointer()) != StackEnd::none)
            break;
    }
    if (file) {
        addresses.push_back(bytes.size() / 2);
        const ElfFile::Symbols symbols = file->find_symbols(addresses);
        if (symbols.found.size() != addresses.size())
            broken("not a symbol for each address");
        for (size_t i = 0; i < addresses.size(); ++i) {
            if (!symbols.found[i])
                continue;
            if (symbols.found[i]->address > addresses[i] || symbols.found[i]->name.empty())
                broken("a symbol behind its address");
            demangled(symbols.found[i]->name, budget);
        }
        if (file->build_id().size() > 128)
            broken("a long build id");
    }
    check_work(budget.used(), limits.stack);
}

inline void check_name(const std::string& name) {
    WorkBudget budget;
    if (demangled(name, budget).size() > 515)
        broken("a long name");
    const size_t bound = demangled_bound(name);
    if (name.size() > 1024 || bound > longest_demangled || !name.starts_with("_Z"))
        return;
    int status = -1;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
    if (text && strlen(text.get()) > 4 * bound + 1024)
        broken("a name longer than its bound");
}

inline void check_tables(std::string_view text) {
    const CodeMap map(text);
    map.find(0x400000);
    if (map.size() > CodeMap::most_ranges)
        broken("a map without end");
    MountTable mounts{std::string(text)};
    for (uint64_t id = 0; id < 64; ++id)
        if (const MountTable::Mount* const mount = mounts.find_id(id); mount && mount->type == overlay_type)
            mounts.has_local_layers(*mount);
}

inline void fuzz_stack(std::string_view input) {
    if (input.empty())
        return;
    const auto kind = static_cast<unsigned char>(input[0]);
    input.remove_prefix(1);
    if (kind % 4 == 0)
        return check_name(std::string(input));
    if (kind % 4 == 1)
        return check_tables(input);
    if (input.size() < 2)
        return;
    const size_t memory = std::min<size_t>(static_cast<unsigned char>(input[0]) * 8u, input.size() - 1);
    walk(input.substr(1, memory), input.substr(1 + memory), kind % 4 == 3);
}

} // namespace stack_fuzz
