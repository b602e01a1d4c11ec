// SPDX-License-Identifier: MIT
// The table of system calls against what this machine says: the numbers in the C headers,
// the arguments in tracefs.
#include <ebpf_loader/syscalls.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include <gtest/gtest.h>

namespace {

using namespace ebpf_loader;
namespace fs = std::filesystem;

std::string header_path(const std::string& name) {
    for (const char* folder : {"/usr/include/x86_64-linux-gnu/asm/", "/usr/include/asm/"})
        if (fs::exists(folder + name))
            return folder + name;
    return {};
}

/// The numbers of another machine's <asm/unistd.h>, by name. There they are made of other macros: those are
/// replaced as a preprocessor does it.
std::map<std::string, int> numbers_of_machine(const std::string& triple) {
    const std::string folder = "/usr/" + triple + "/include";
    const std::string command = "clang -E -dM -nostdinc -x c --target=" + triple + " -I" + folder + " " +
                                folder + "/asm/unistd.h 2>/dev/null";
    static const std::regex line_form(R"(#define (\w+) \(?(?:(\w+) ?\+ ?)?(\w+)\)?)");
    std::map<std::string, std::pair<std::string, std::string>> macros;
    const std::unique_ptr<FILE, int (*)(FILE*)> in(popen(command.c_str(), "r"), pclose);
    char line[512];
    for (std::smatch match; in && fgets(line, sizeof(line), in.get());) {
        const std::string text(line, strcspn(line, "\n"));
        if (std::regex_match(text, match, line_form))
            macros[match[1]] = {match[2], match[3]};
    }
    const std::function<int(const std::string&)> value = [&](const std::string& word) -> int {
        if (const auto macro = macros.find(word); macro != macros.end())
            return (macro->second.first.empty() ? 0 : value(macro->second.first)) +
                   value(macro->second.second);
        return word.empty() || !isdigit(static_cast<unsigned char>(word[0])) ? -1
                                                                             : std::stoi(word, nullptr, 0);
    };
    std::map<std::string, int> out;
    for (const auto& [name, parts] : macros)
        if (name.starts_with("__NR_"))
            out[name.substr(5)] = value(name);
    return out;
}

/// Number by name, of "#define __NR_name number" or "(__X32_SYSCALL_BIT + number)".
std::map<int, std::string> numbers_in_header(const std::string& path) {
    static const std::regex line_form(R"(#define __NR_(\w+)\s+\(?(?:__X32_SYSCALL_BIT \+ )?(\d+)\)?)");
    std::map<int, std::string> out;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
        if (std::smatch match; std::regex_match(line, match, line_form))
            out[std::stoi(match[2])] = match[1];
    return out;
}

/// Older than any header this could meet. 335 and 336 came after 424 had been reached.
bool is_in_every_header(const SyscallRow& row) {
    return row.number[EBT_X86_64] <= 334 && row.number[EBT_I386] <= 423;
}

void compare_with_header(ebt_abi abi, const std::string& header,
                         const std::map<std::string, std::string>& renamed, size_t at_least) {
    const std::string path = header_path(header);
    if (path.empty())
        GTEST_SKIP() << "no <asm/" << header << "> on this machine (package linux-libc-dev)";
    const auto numbers = numbers_in_header(path);
    ASSERT_GT(numbers.size(), at_least) << path << " is not understood";
    for (const auto& [number, name] : numbers) {
        const SyscallRow* row = find_syscall(abi, number);
        ASSERT_NE(row, nullptr) << name << ' ' << number;
        auto entry = renamed.find(name);
        EXPECT_EQ(row->name, entry == renamed.end() ? name : entry->second) << number;
        EXPECT_EQ(row->number[abi], number) << name;
    }
    for (const SyscallRow& row : syscall_rows()) {
        bool expected = row.number[abi] >= 0 && is_in_every_header(row);
        EXPECT_TRUE(!expected || numbers.contains(row.number[abi])) << row.name;
    }
}

TEST(SyscallsKernel, NumbersOfX86_64) {
    compare_with_header(EBT_X86_64, "unistd_64.h", {}, 350);
}

TEST(SyscallsKernel, NumbersOfI386) {
    // One pointer to all arguments: rows of their own, under the kernel's names.
    compare_with_header(EBT_I386, "unistd_32.h", {{"mmap", "old_mmap"}, {"select", "old_select"}}, 420);
}

TEST(SyscallsKernel, NumbersOfX32) {
    compare_with_header(EBT_X32, "unistd_x32.h", {}, 340);
}

/// What linux-libc-dev-arm64-cross and -armhf-cross have: headers of Linux 6.1.
void compare_with_machine(ebt_abi abi, const std::string& triple, size_t at_least) {
    constexpr int last_of_6_1 = 450, first_of_machine = 0xf0000; // set_tls, cacheflush ...: arm's own
    static const std::set<std::string> no_calls = {"syscalls", "arch_specific_syscall", "OABI_SYSCALL_BASE",
                                                   "SYSCALL_BASE", "SYSCALL_MASK"};
    const auto numbers = numbers_of_machine(triple);
    ASSERT_GT(numbers.size(), at_least) << "setup.sh --tests installs the headers of " << triple;
    std::set<int> seen;
    for (const auto& [name, number] : numbers) {
        if (no_calls.contains(name) || number >= first_of_machine)
            continue;
        seen.insert(number);
        const SyscallRow* row = find_syscall(abi, number);
        ASSERT_NE(row, nullptr) << name << ' ' << number;
        EXPECT_TRUE(row->name == name || name == "arm_sync_file_range") << row->name << ' ' << name << number;
    }
    for (const SyscallRow& row : syscall_rows()) {
        const int number = row.number[abi];
        EXPECT_TRUE(number < 0 || number > last_of_6_1 || seen.contains(number)) << row.name << ' ' << number;
        EXPECT_TRUE(number <= last_of_6_1 || number == row.number[EBT_X86_64]) << row.name << ": all have it";
    }
}

TEST(SyscallsKernel, NumbersOfAarch64) {
    compare_with_machine(EBT_AARCH64, "aarch64-linux-gnu", 300);
}

TEST(SyscallsKernel, NumbersOfArm) {
    compare_with_machine(EBT_ARM, "arm-linux-gnueabihf", 390);
}

struct Field {
    std::string type;
    std::string name;
};

/// The arguments of an event's format file, in order.
std::vector<Field> fields_of(const fs::path& format) {
    static const std::regex field_form(R"(\s*field:(.*\W)(\w+);\s*offset:.*)");
    std::vector<Field> out;
    std::ifstream in(format);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (!std::regex_match(line, match, field_form) || match[2] == "__syscall_nr" ||
            match[2].str().starts_with("common_"))
            continue;
        if (match[1].str().starts_with("__data_loc")) // since 7.0: what a pointer points to
            continue;
        std::string type = match[1];
        type.erase(type.find_last_not_of(' ') + 1);
        out.push_back({type, match[2]});
    }
    return out;
}

using Formats = std::map<std::string, std::vector<Field>>;

/// By the name user space knows; events bear the names of the kernel's functions.
Formats read_formats() {
    static const std::map<std::string, std::string> renamed = {
        {"newstat", "stat"},        {"newfstat", "fstat"}, {"newlstat", "lstat"}, {"newuname", "uname"},
        {"sendfile64", "sendfile"}, {"umount", "umount2"}, {"sysctl", "_sysctl"}};
    static const std::string prefix = "sys_enter_";
    Formats out;
    for (const char* tracefs : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(fs::path(tracefs) / "events/syscalls", error)) {
            std::string name = entry.path().filename();
            if (!name.starts_with(prefix))
                continue;
            name.erase(0, prefix.size());
            auto alias = renamed.find(name);
            out[alias == renamed.end() ? name : alias->second] = fields_of(entry.path() / "format");
        }
        if (!out.empty())
            break;
    }
    return out;
}

class SyscallsTracefs : public testing::Test {
  protected:
    void SetUp() override {
        if (formats().empty())
            GTEST_SKIP() << "no syscalls events: tracefs is not mounted, not readable by this user, or the "
                            "kernel is without CONFIG_FTRACE_SYSCALLS";
    }
    static const Formats& formats() {
        static const Formats all = read_formats();
        return all;
    }
};

TEST_F(SyscallsTracefs, KernelHasNoCallThatTheTableLacks) {
    // Not everywhere with the same number of arguments: since 5.10, and since 7.x.
    static const std::set<std::string> grown = {"membarrier", "bpf"};
    EXPECT_GT(formats().size(), 250u);
    for (const auto& [name, fields] : formats()) {
        const SyscallRow* row = find_syscall(name);
        ASSERT_NE(row, nullptr) << "add " << name << " to kern/abi/syscalls.def";
        EXPECT_GE(row->number[EBT_X86_64], 0) << name;
        EXPECT_TRUE(row->arguments == fields.size() || grown.contains(name)) << name;
    }
}

/// Names differ from the kernel's, as those of the manual pages do; their order must not.
TEST_F(SyscallsTracefs, ArgumentsStandInTheKernelsOrder) {
    size_t same = 0;
    for (const auto& [name, fields] : formats()) {
        const SyscallRow& row = *find_syscall(name);
        for (size_t ours = 0; ours < row.arguments; ours++)
            for (size_t theirs = 0; theirs < fields.size(); theirs++) {
                if (row.argument[ours].name != fields[theirs].name)
                    continue;
                EXPECT_EQ(ours, theirs) << name << ' ' << fields[theirs].name;
                same++;
            }
    }
    EXPECT_GT(same, 300u) << "too few names in common for this test to mean anything";
}

enum class Class { pointer, wide, narrow, unknown };

Class class_of(const std::string& type) {
    static const std::set<std::string> pointers = {"cap_user_header_t", "cap_user_data_t"};
    static const std::set<std::string> wide = {"unsigned long", "long", "size_t", "loff_t",
                                               "off_t",         "u64",  "__u64",  "aio_context_t"};
    static const std::set<std::string> narrow = {
        "int",       "unsigned int", "unsigned", "u32",    "__u32", "__s32", "enum landlock_rule_type",
        "clockid_t", "key_serial_t", "key_t",    "mqd_t",  "pid_t", "qid_t", "uid_t",
        "gid_t",     "umode_t",      "rwf_t",    "timer_t"};
    std::string bare = type.starts_with("const ") ? type.substr(6) : type;
    if (type.find('*') != std::string::npos || pointers.contains(bare))
        return Class::pointer;
    return wide.contains(bare) ? Class::wide : narrow.contains(bare) ? Class::narrow : Class::unknown;
}

bool is_pointer(ArgKind kind) {
    static const std::set<ArgKind> kinds = {
        ArgKind::pointer, ArgKind::string,     ArgKind::sockaddr,     ArgKind::sockaddr_out,
        ArgKind::msghdr,  ArgKind::msghdr_out, ArgKind::argv,         ArgKind::envp,
        ArgKind::path,    ArgKind::path_text,  ArgKind::path_new_cwd, ArgKind::path_new_root,
        ArgKind::address, ArgKind::structure,  ArgKind::bytes,        ArgKind::written};
    return kinds.contains(kind);
}

bool fits(const Field& field, ArgKind kind) {
    switch (class_of(field.type)) {
    case Class::pointer:
        return is_pointer(kind);
    case Class::wide: // some that are narrow by nature come as a long: an fd, a pid, flags
        return kind == ArgKind::address || !is_pointer(kind);
    case Class::narrow:
        return is_32_bit(kind);
    default:
        return false;
    }
}

TEST_F(SyscallsTracefs, KindsFitTheKernelsTypes) {
    for (const auto& [name, fields] : formats()) {
        const SyscallRow& row = *find_syscall(name);
        for (size_t i = 0; i < fields.size() && i < row.arguments; i++)
            EXPECT_TRUE(fits(fields[i], row.argument[i].kind))
                << name << ": " << fields[i].type << ' ' << fields[i].name << " as "
                << kind_name(row.argument[i].kind);
    }
}

/// Types that say what the argument is leave no choice of kind.
TEST_F(SyscallsTracefs, TellingTypesHaveTheirKind) {
    static const std::map<std::string, ArgKind> kinds = {{"pid_t", ArgKind::pid},
                                                         {"uid_t", ArgKind::uid},
                                                         {"gid_t", ArgKind::gid},
                                                         {"umode_t", ArgKind::mode},
                                                         {"size_t", ArgKind::size}};
    size_t checked = 0;
    for (const auto& [name, fields] : formats()) {
        const SyscallRow& row = *find_syscall(name);
        for (size_t i = 0; i < fields.size() && i < row.arguments; i++) {
            auto entry = kinds.find(fields[i].type);
            if (entry == kinds.end())
                continue;
            checked++;
            EXPECT_EQ(kind_name(row.argument[i].kind), kind_name(entry->second))
                << name << ' ' << fields[i].name;
        }
    }
    EXPECT_GT(checked, 100u);
}

/// Every pointer to text is captured, but for buffers the kernel fills and payloads.
TEST_F(SyscallsTracefs, ConstTextIsCaptured) {
    static const std::set<std::string> payloads = {"write", "pwrite64", "mq_timedsend",
                                                   "seccomp"}; // a filter; void * since 5.0
    for (const auto& [name, fields] : formats()) {
        if (payloads.contains(name))
            continue;
        const SyscallRow& row = *find_syscall(name);
        for (size_t i = 0; i < fields.size() && i < row.arguments; i++) {
            bool is_captured = is_path(row.argument[i].kind) || row.argument[i].kind == ArgKind::string;
            EXPECT_TRUE(fields[i].type != "const char *" || is_captured) << name << ' ' << fields[i].name;
        }
    }
}

} // namespace
