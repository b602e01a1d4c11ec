// SPDX-License-Identifier: MIT
#include "telemetry/base/text/time.hpp"
#include "telemetry/recorded/fields.hpp"
#include "telemetry/recorded/file.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/sink/compression.hpp"

namespace telemetry {
namespace {

/// A file of these bytes, for as long as it lives.
class Written {
  public:
    explicit Written(const std::string& bytes) {
        const int file = mkstemp(path_.data());
        EXPECT_GE(file, 0);
        std::ofstream(path_, std::ios::binary) << bytes;
        close(file);
    }
    ~Written() { unlink(path_.c_str()); }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/recorded-XXXXXX";
};

std::vector<std::string> lines_of(const std::string& bytes) {
    const Written written(bytes);
    RecordedFile file(written.path());
    std::vector<std::string> lines;
    std::string_view line;
    while (file.next(line)) {
        lines.emplace_back(line);
        EXPECT_EQ(file.line_number(), lines.size());
    }
    return lines;
}

using Lines = std::vector<std::string>;

TEST(RecordedFile, GivesLines) {
    EXPECT_EQ(lines_of(""), Lines());
    EXPECT_EQ(lines_of("a"), Lines{"a"});
    EXPECT_EQ(lines_of("a\n"), Lines{"a"});
    EXPECT_EQ(lines_of("a\n\nbc\n"), (Lines{"a", "", "bc"}));
    const std::string longer(1 << 20, 'x'); // than what is read at once
    EXPECT_EQ(lines_of(longer + "\n" + longer), (Lines{longer, longer}));
}

TEST(RecordedFile, SaysWhetherTheLastLineEnds) {
    for (const bool ends : {true, false}) {
        const Written written(ends ? "a\nb\n" : "a\nb");
        RecordedFile file(written.path());
        std::string_view line;
        ASSERT_TRUE(file.next(line));
        EXPECT_FALSE(file.is_unfinished());
        ASSERT_TRUE(file.next(line));
        EXPECT_EQ(file.is_unfinished(), !ends);
    }
}

TEST(RecordedFile, DecompressesAllMembers) {
    for (const Coding coding : {Coding::gzip, Coding::zstd})
        EXPECT_EQ(lines_of(compressed(coding, "a\nb") + compressed(coding, "c\nd\n")),
                  (Lines{"a", "bc", "d"}));
}

TEST(RecordedFile, RefusesWhatIsDamaged) {
    for (const Coding coding : {Coding::gzip, Coding::zstd}) {
        const std::string whole = compressed(coding, "a line and some more of it\n");
        EXPECT_THROW(lines_of(whole.substr(0, whole.size() - 5)), ebpf_loader::Error);
        EXPECT_THROW(lines_of(whole + "x"), ebpf_loader::Error);
    }
    EXPECT_THROW(RecordedFile("/nowhere"), ebpf_loader::Error);
    EXPECT_THROW(lines_of(std::string(RecordedFile::longest_line + (1 << 20), 'x')), ebpf_loader::Error);
}

TEST(RecordedFields, AreFoundByTheirNames) {
    const auto event = nlohmann::json::parse(R"({"a":{"b":"text","n":7,"list":[1]},"s":"x"})");
    EXPECT_EQ(text_at(event, "a.b"), "text");
    EXPECT_EQ(text_at(event, "a.n"), "7");
    EXPECT_EQ(number_at(event, "a.n"), 7);
    EXPECT_EQ(number_at(event, "a.b"), std::nullopt);
    for (const char* absent : {"a.c", "s.b", "a.list.b", "a.b.c", "", "."})
        EXPECT_EQ(field_at(event, absent), nullptr) << absent;
}

TEST(RecordedFields, TimesAreNanoseconds) {
    EXPECT_EQ(nanoseconds_of("1970-01-01T00:00:01.000000042Z"), 1'000'000'042);
    EXPECT_EQ(nanoseconds_of("2026-11-28T02:04:11.2Z"), 1'795'831'451'200'000'000);
    for (const char* wrong :
         {"", "2026", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00",
          "9999-01-01T00:00:00Z", "2026-01-01T00:00:00.1", "2026-01-01 00:00:00Z"})
        EXPECT_EQ(nanoseconds_of(wrong), std::nullopt) << wrong;
}

} // namespace
} // namespace telemetry
