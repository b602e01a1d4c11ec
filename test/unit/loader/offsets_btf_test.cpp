// SPDX-License-Identifier: MIT
// Offsets from BTF: made-up types for what a kernel may look like, and this very kernel's
// compared with what a compiler makes of its structures.
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "loader/src/base/btf_ptr.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/offsets/offset_resolver.hpp"
#include "telemetry/app/advice.hpp"
#include "test/unit/support/temporary_folder.hpp"

#include <ctime>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace ebpf_loader {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Builds a BTF file member by member.
class BtfFile : public testing::Test {
  protected:
    BtfFile() : types_(btf__new_empty()), number_(btf__add_int(types_.get(), "int", 4, 0)) {}

    struct Field {
        const char* name;
        int type;
        uint32_t bit;
        uint32_t bits = 0;
    };

    int add_struct(const char* name, const std::vector<Field>& fields) {
        return add_fields(btf__add_struct(types_.get(), name, 512), fields);
    }
    int add_union(const std::vector<Field>& fields) {
        return add_fields(btf__add_union(types_.get(), nullptr, 512), fields);
    }
    int add_fields(int id, const std::vector<Field>& fields) {
        for (const Field& field : fields)
            EXPECT_EQ(btf__add_field(types_.get(), field.name, field.type, field.bit, field.bits), 0);
        return id;
    }
    std::string bytes() const {
        uint32_t size = 0;
        const void* data = btf__raw_data(types_.get(), &size);
        return {static_cast<const char*>(data), size};
    }
    std::string write(const std::string& content) const {
        std::string file = folder_.path() + "/types.btf";
        std::ofstream(file, std::ios::binary) << content;
        return file;
    }
    Offsets resolve() const { return Offsets::from_btf(write(bytes())); }
    static std::optional<uint32_t> get(const Offsets& offsets, const char* name) {
        return offsets.get(Offsets::find(name).value());
    }

    TemporaryFolder folder_;
    BtfPtr types_;
    int number_;
};

TEST_F(BtfFile, FindsMembersInsideUnnamedStructuresAndUnions) {
    const int inner = add_struct(nullptr, {{"max_fds", number_, 32}, {"fd", number_, 64}});
    const int either = add_union({{"other", number_, 0}, {nullptr, inner, 0}});
    add_struct("fdtable", {{"first", number_, 0}, {nullptr, either, 128}});
    const Offsets offsets = resolve();
    EXPECT_EQ(get(offsets, "fdtable.max_fds"), (128 + 32) / 8);
    EXPECT_EQ(get(offsets, "fdtable.fd"), (128 + 64) / 8);
    EXPECT_EQ(get(offsets, "path.mnt"), std::nullopt);
    EXPECT_EQ(offsets.release, "");
    EXPECT_THAT(offsets.source, HasSubstr("types.btf"));
}

TEST_F(BtfFile, FollowsNestedPathsThroughTypedefs) {
    const int common = add_struct("sock_common", {{"skc_family", number_, 128}});
    const int alias = btf__add_typedef(types_.get(), "common_t", btf__add_const(types_.get(), common));
    add_struct("sock", {{"__sk_common", alias, 64}, {"skc_family", number_, 8}});
    EXPECT_EQ(get(resolve(), "sock.skc_family"), 24u);
}

TEST_F(BtfFile, PrefersTheFirstPathAndFallsBackToTheLast) {
    add_struct("task_struct", {{"real_start_time", number_, 320}});
    EXPECT_EQ(get(resolve(), "task_struct.start_boottime"), 40u);
#ifdef __x86_64__ // there the first path is one of another structure
    add_struct("thread_info", {{"status", number_, 96}});
    EXPECT_EQ(get(resolve(), "task_struct.status"), 12u);
#endif
    types_.reset(btf__new_empty());
    number_ = btf__add_int(types_.get(), "int", 4, 0);
    add_struct("task_struct", {{"real_start_time", number_, 320}, {"start_boottime", number_, 96}});
    EXPECT_EQ(get(resolve(), "task_struct.start_boottime"), 12u);
}

TEST_F(BtfFile, BitfieldsOnlyWhereAByteOffsetNamesThem) {
    add_struct("sock", {{"sk_userlocks", number_, 4, 4}, {"sk_protocol", number_, 8, 8}});
    EXPECT_EQ(get(resolve(), "sock.sk_protocol"), 1u);
    types_.reset(btf__new_empty());
    number_ = btf__add_int(types_.get(), "int", 4, 0);
    add_struct("sock", {{"sk_protocol", number_, 4, 8}});
    EXPECT_EQ(get(resolve(), "sock.sk_protocol"), std::nullopt);
}

TEST_F(BtfFile, OfStructuresOfOneNameTheFittingOneIsMeant) {
    add_struct("path", {{"dentry", number_, 8}});
    add_struct("path", {{"mnt", number_, 64}, {"dentry", number_, 128}});
    add_struct("path", {{"length", number_, 32}});
    const Offsets offsets = resolve();
    EXPECT_EQ(get(offsets, "path.mnt"), 8u);
    EXPECT_EQ(get(offsets, "path.dentry"), 16u);
}

TEST_F(BtfFile, ContradictionsAreAnError) {
    add_struct("path", {{"mnt", number_, 64}});
    add_struct("path", {{"mnt", number_, 64}});
    EXPECT_EQ(get(resolve(), "path.mnt"), 8u);
    add_struct("path", {{"mnt", number_, 128}});
    try {
        resolve();
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("several different structures named path"));
    }
}

TEST_F(BtfFile, EndlessNestingEnds) {
    // An unnamed structure that holds itself, many times over: only a damaged file has one.
    const int self = btf__type_cnt(types_.get());
    std::vector<Field> fields(200, Field{nullptr, self, 0});
    ASSERT_EQ(add_struct(nullptr, fields), self);
    add_struct("path", {{nullptr, self, 0}, {"mnt", number_, 0}});
    EXPECT_EQ(get(resolve(), "path.dentry"), std::nullopt);
}

TEST_F(BtfFile, EveryTruncationIsRefusedOrRead) {
    add_struct("path", {{"mnt", number_, 0}, {"dentry", number_, 64}});
    const std::string whole = bytes();
    for (size_t size = 0; size < whole.size(); ++size)
        EXPECT_THROW(Offsets::from_btf(write(whole.substr(0, size))), Error) << size;
    EXPECT_EQ(get(Offsets::from_btf(write(whole)), "path.dentry"), 8u);
}

TEST_F(BtfFile, EveryDamagedByteIsRefusedOrRead) {
    const int inner = add_struct(nullptr, {{"mnt", number_, 32}});
    add_struct("path", {{nullptr, inner, 0}, {"dentry", number_, 64}});
    const std::string whole = bytes();
    int read = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
        try {
            Offsets::from_btf(write(damaged));
            ++read;
        } catch (const Error&) {
        }
    }
    EXPECT_GT(read, 0);
    EXPECT_LT(read, static_cast<int>(whole.size()));
}

TEST_F(BtfFile, ReadsAKernelImageWithItsRelease) {
    add_struct("path", {{"mnt", number_, 64}});
    write(bytes());
    // %s first, as in the kernel: the banner of /proc/version comes with a format.
    std::ofstream(folder_.path() + "/banner") << "Linux version %s (gcc)\n"
                                              << '\0' << "Linux version 5.4.0-42-generic (buildd@x) #1\n";
    const std::string image = folder_.path() + "/vmlinux";
    const std::string command =
        "cd " + folder_.path() +
        " && objcopy -I binary -O elf64-x86-64 --rename-section .data=.rodata banner b.o"
        " && objcopy --add-section .BTF=types.btf b.o vmlinux";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const Offsets offsets = Offsets::from_btf(image);
    EXPECT_EQ(get(offsets, "path.mnt"), 8u);
    EXPECT_EQ(offsets.release, "5.4.0-42-generic");
}

TEST_F(BtfFile, SaysWhatIsWrongWithAFile) {
    const auto error = [](const std::string& file) -> std::string {
        try {
            Offsets::from_btf(file);
        } catch (const Error& caught) {
            EXPECT_EQ(caught.code(), ErrorCode::offsets);
            return telemetry::with_advice(caught);
        }
        return "(no error)";
    };
    EXPECT_THAT(error("/no/such"), HasSubstr("Cannot read /no/such: No such file"));
    EXPECT_THAT(error("/proc/self/exe"), HasSubstr("There is no BTF in /proc/self/exe"));
    EXPECT_THAT(error(write("rubbish")), HasSubstr("get_offsets --vmlinux FILE"));
    EXPECT_EQ(release_of_image("/no/such"), "");
    EXPECT_EQ(release_of_image(write("rubbish")), "");
}

class ThisKernel : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(access(kernel_btf_path().c_str(), R_OK), 0)
            << "this test needs a kernel with " << kernel_btf_path();
    }
};

TEST_F(ThisKernel, DescribesAllWeNeed) {
    const Offsets offsets = Offsets::from_btf();
    EXPECT_THAT(offsets.problems(), IsEmpty());
    EXPECT_EQ(offsets.release, running_release());
    EXPECT_FALSE(offsets.release.empty());
}

TEST_F(ThisKernel, ItsConfigSaysTheSame) {
    const TemporaryFolder folder;
    const std::string file = folder.path() + "/this.conf";
    const Offsets described = Offsets::from_btf();
    std::ofstream out(file);
    described.write_config(out);
    out.close();
    const Offsets configured = Offsets::from_config(file);
    EXPECT_NO_THROW(require_release(configured, running_release()));
    for (size_t row = 0; row < offset_rows().size(); ++row)
        EXPECT_EQ(configured.get(row), described.get(row)) << offset_rows()[row].member;
}

TEST_F(ThisKernel, AnswersQuickly) {
#ifdef EBT_SANITIZED
    constexpr double limit_ms = 600;
#else
    constexpr double limit_ms = 60;
#endif
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
        const clock_t start = clock(); // processor time: other programs do not count
        Offsets::from_btf();
        best = std::min(best, 1e3 * static_cast<double>(clock() - start) / CLOCKS_PER_SEC);
    }
    EXPECT_LT(best, limit_ms);
}

TEST(ThisKernelWithoutBtf, SaysWhereOffsetsCanComeFrom) {
    setenv("EBPF_TELEMETRY_BTF", "/no/such", 1);
    std::string message;
    try {
        Offsets::from_btf();
    } catch (const Error& error) {
        message = telemetry::with_advice(error);
    }
    unsetenv("EBPF_TELEMETRY_BTF");
    EXPECT_THAT(message, HasSubstr("get_offsets/README.md"));
}

// The second method: bpftool writes the kernel's types as C, and the compiler is asked for
// the offset of every path, in one run; its complaints come by line.

std::string output_of(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    std::string text;
    char part[4096];
    for (size_t got; pipe && (got = fread(part, 1, sizeof part, pipe)) > 0;)
        text.append(part, got);
    if (pipe)
        pclose(pipe);
    return text;
}

std::string name_of(size_t row) {
    return std::string(offset_rows()[row].structure) + "." + std::string(offset_rows()[row].member);
}

struct Question {
    size_t row;
    size_t line;
};

/// One line a path: an assertion that it is where the row says.
std::vector<Question> write_questions(std::ostream& out, const Offsets& offsets) {
    std::vector<Question> questions;
    size_t line = 2;
    out << "#include \"vmlinux.h\"\n";
    for (size_t row = 0; row < offset_rows().size(); ++row)
        for (const MemberPath& place : parse_member_paths(offset_rows()[row].paths)) {
            std::string path;
            for (std::string_view member : place.members)
                path += (path.empty() ? "" : ".") + std::string(member);
            const uint32_t expected = offsets.get(row).value_or(UINT32_MAX);
            out << "_Static_assert(__builtin_offsetof(struct " << place.structure << ", " << path
                << ") == " << expected << ", \"differs\");\n";
            questions.push_back({row, line++});
        }
    return questions;
}

/// Error texts of clang by line of the file.
std::map<size_t, std::string> complaints(const std::string& text) {
    std::map<size_t, std::string> found;
    const std::regex pattern("questions\\.c:([0-9]+):[0-9]+: error: (.*)");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (std::smatch match; std::regex_search(line, match, pattern))
            found[std::stoul(match[1])] += match[2].str();
    return found;
}

/// bpftool does not write down that an enumeration is smaller than an int, and the compiler would move
/// what comes after one.
void pack_small_enumerations(const std::string& header) {
    const BtfPtr types(btf__load_vmlinux_btf());
    ASSERT_TRUE(types);
    std::ifstream in(header);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    for (uint32_t id = 1; id < btf__type_cnt(types.get()); id++) {
        const btf_type* type = btf__type_by_id(types.get(), id);
        if (!btf_is_enum(type) || type->size >= sizeof(int) || !type->name_off)
            continue;
        const std::string begin =
            "\nenum " + std::string(btf__name_by_offset(types.get(), type->name_off)) + " {";
        const size_t at = text.find(begin), end = at == text.npos ? at : text.find("};", at);
        if (end != text.npos)
            text.insert(end + 1, " __attribute__((packed))");
    }
    std::ofstream(header) << text;
}

TEST_F(ThisKernel, AgreesWithTheCompiler) {
    const TemporaryFolder folder;
    const Offsets offsets = Offsets::from_btf();
    ASSERT_EQ(std::system(("bpftool btf dump file " + kernel_btf_path() + " format c > " + folder.path() +
                           "/vmlinux.h")
                              .c_str()),
              0)
        << "this test needs bpftool";
    pack_small_enumerations(folder.path() + "/vmlinux.h");
    std::ofstream file(folder.path() + "/questions.c");
    const std::vector<Question> questions = write_questions(file, offsets);
    file.close();
    const std::string said = output_of("cd " + folder.path() +
                                       " && " EBT_CLANG " -target bpf -fsyntax-only -ferror-limit=0 "
                                       "-Wno-everything questions.c 2>&1; echo done");
    ASSERT_THAT(said, HasSubstr("done"));
    const std::map<size_t, std::string> errors = complaints(said);
    EXPECT_EQ(errors.count(1), 0u) << said;

    std::set<size_t> answered;
    for (const Question& question : questions) {
        const auto complaint = errors.find(question.line);
        const bool exists =
            complaint == errors.end() || complaint->second.find("differs") != std::string::npos;
        if (!exists || !answered.insert(question.row).second)
            continue; // no such member here, or an earlier one counts
        EXPECT_TRUE(complaint == errors.end()) << name_of(question.row);
    }
    for (size_t row = 0; row < offset_rows().size(); ++row)
        EXPECT_EQ(answered.count(row) == 1, offsets.get(row).has_value()) << name_of(row);
}

} // namespace
} // namespace ebpf_loader
