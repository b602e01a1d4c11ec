// SPDX-License-Identifier: MIT
// What a stack is named by: files of programs, maps of memory, and mangled names, which may say anything.
#include <dlfcn.h>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/elf/demangle.hpp"
#include "telemetry/elf/elf.hpp"
#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/stack/code_map.hpp"
#include "test/unit/support/emulated.hpp"

namespace stack_test {

using namespace telemetry;

namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

WorkBudget unlimited;

std::optional<ElfFile> elf_of(const std::string& bytes) {
    return ElfFile::open(ByteSource(bytes, unlimited));
}

std::optional<ElfFile::Symbol> find_symbol(const ElfFile& file, uint64_t address) {
    return file.find_symbols({address}).found.front();
}

/// A library that has no names but those it exports.
TEST(ImdsElfFile, StrippedLibrary) {
    SKIP_WITHOUT_OWN_PROGRAMS();
    Dl_info info;
    void* const function = dlsym(RTLD_DEFAULT, "qsort");
    ASSERT_NE(dladdr(function, &info), 0);
    const auto file = elf_of(content_of(info.dli_fname));
    ASSERT_TRUE(file);
    const auto base = reinterpret_cast<uintptr_t>(info.dli_fbase);
    const auto symbol = find_symbol(*file, reinterpret_cast<uintptr_t>(function) - base + 3);
    ASSERT_TRUE(symbol);
    EXPECT_EQ(symbol->name, "qsort");
    EXPECT_EQ(symbol->address, reinterpret_cast<uintptr_t>(function) - base);
    EXPECT_FALSE(find_symbol(*file, 16)) << "the header is no function";
    EXPECT_EQ(file->build_id().size(), 40U);
    EXPECT_TRUE(find_unwind_rules(*file, symbol->address));
    EXPECT_FALSE(find_unwind_rules(*file, 16));
}

TEST(ImdsElfFile, IsNone) {
    SKIP_WITHOUT_OWN_PROGRAMS();
    const std::string whole = content_of("/bin/true");
    ASSERT_TRUE(elf_of(whole));
    EXPECT_FALSE(elf_of(""));
    EXPECT_FALSE(elf_of("#!/bin/sh\n"));
    EXPECT_FALSE(elf_of(whole.substr(0, 63)));
    std::string changed = whole;
    changed[4] = 7; // its class
    EXPECT_FALSE(elf_of(changed));
    changed = whole;
    changed[18] = 40; // for another machine
    EXPECT_FALSE(elf_of(changed));
    changed = whole;
    changed[56] = changed[57] = '\xff'; // segments without end
    EXPECT_FALSE(elf_of(changed));
}

/// Everything that a stack would ask of a file.
void ask_all(const std::string& bytes, std::mt19937_64& random) {
    const auto file = elf_of(bytes);
    if (!file)
        return;
    file->build_id();
    for (int i = 0; i < 8; ++i) {
        const uint64_t offset = i < 6 ? random() % bytes.size() : random();
        const uint64_t address = file->address_of(offset).value_or(offset);
        if (i < 2)
            find_symbol(*file, address);
        find_unwind_rules(*file, address);
    }
}

TEST(ImdsElfFile, AnyFile) {
    std::mt19937_64 random(11);
    const std::string whole = content_of("/bin/true");
    for (int i = 0; i < 4000; ++i) {
        std::string bytes = whole;
        const size_t reach = i % 2 ? bytes.size() : 1024;
        for (uint64_t change = 0; change <= random() % 16; ++change)
            bytes[random() % reach] = static_cast<char>(random() % 3 ? random() : 0xff);
        if (i % 10 == 0)
            bytes.resize(random() % bytes.size() + 1);
        ask_all(bytes, random);
    }
}

/// The tables of a program, each byte of which may be anything.
TEST(ImdsElfFile, AnyUnwindTable) {
    SKIP_WITHOUT_OWN_PROGRAMS();
    std::mt19937_64 random(13);
    const std::string whole = content_of("/bin/true");
    const auto file = elf_of(whole);
    const auto [entries, size] = file->unwind_entries();
    ASSERT_GT(size, 100U);
    for (int i = 0; i < 4000; ++i) {
        std::string bytes = whole; // its addresses are offsets there
        for (int change = 0; change < 40; ++change)
            bytes[entries + random() % size] = static_cast<char>(random());
        ask_all(bytes, random);
    }
}

// --- /proc/<pid>/maps ---

TEST(ImdsCodeMap, FindsWhatMayBeExecuted) {
    const CodeMap map("400000-401000 r--p 00000000 08:01 42    /bin/a b\n"
                      "401000-403000 r-xp 00001000 08:01 42    /bin/a b\n"
                      "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
                      "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0    [vdso]\n"
                      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]");
    EXPECT_EQ(map.size(), 4U);
    EXPECT_EQ(map.find(0x400000), nullptr);
    ASSERT_NE(map.find(0x402fff), nullptr);
    EXPECT_EQ(map.find(0x402fff)->name, "/bin/a b");
    EXPECT_EQ(map.find(0x402fff)->offset, 0x1000U);
    EXPECT_EQ(map.find(0x402fff)->inode, 42U);
    EXPECT_EQ(map.find(0x403000), nullptr);
    EXPECT_EQ(map.find(0x7f0000000fff)->name, "");
    EXPECT_EQ(map.find(0x7ffd00000000)->name, "[vdso]");
    EXPECT_EQ(map.find(UINT64_MAX), nullptr);
    EXPECT_EQ(map.find(0), nullptr);
}

TEST(ImdsCodeMap, AnyText) {
    for (const char* text : {"", "\n\n", "x", "1-2", "1-2 r-xp", "1-2 r-xp 0 0:0", "2-1 r-xp 0 0:0 1 /a\n",
                             "fffffffffffffffff-1 r-xp 0 0:0 1 /a\n", "1-2 r-xp zz 0:0 1 /a\n"})
        EXPECT_TRUE(CodeMap(text).empty()) << text;
    EXPECT_EQ(CodeMap("1-2 r-xp 0 0:0 1 ").size(), 1U);
}

TEST(ImdsDemangle, Names) {
    EXPECT_EQ(demangled("_ZN3abc1fEi", unlimited), "abc::f(int)");
    EXPECT_EQ(demangled("main", unlimited), "main");
    EXPECT_EQ(demangled("_Z", unlimited), "_Z");
    EXPECT_EQ(demangled("", unlimited), "");
    EXPECT_EQ(demangled(std::string(4000, 'x'), unlimited).size(), 515U);
}

/// Each level is twice as long as the one before.
TEST(ImdsDemangle, NamesThatGrow) {
    std::string name = "_Z1fSt4pairIiiE";
    for (int level = 0; level < 30; ++level)
        name += "S" + std::string(level ? std::to_string(level - 1) : "") + "_S_S_";
    EXPECT_LE(demangled(name, unlimited).size(), 515U);
    std::string growing = "_Z1fFivE";
    const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int level = 0; level < 34; ++level) {
        const std::string last = level ? std::string("S") + digits[level - 1] + "_" : "S_";
        growing.append("F").append(last).append(last).append(last).append("E");
    }
    EXPECT_EQ(demangled(growing, unlimited), growing) << "left alone";
}

} // namespace
} // namespace stack_test
