// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "telemetry/output/formats.hpp"
#include "telemetry/output/structure.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/bytes_of.hpp"

using namespace telemetry;
using testing::HasSubstr;
using testing::Not;

namespace {

Event with(const char* call, int64_t ret, uint8_t argument, const char* layout, std::string_view bytes) {
    Event event = samples::call(*ebpf_loader::find_syscall(call), ret, {});
    event.structure_layout = find_structure(layout);
    event.structure_argument = argument;
    event.structure.bytes = bytes;
    event.structure.status = Status::ok;
    return event;
}

std::string line(const char* format, const Event& event) {
    const auto formatter = format_named(format).make(samples::context());
    return samples::formatted(*formatter, event);
}

std::string time_text(int64_t seconds, uint64_t nanoseconds) {
    LineBuffer line;
    put_time_of_member(line, {.seconds = seconds, .nanoseconds = nanoseconds});
    return std::string(line.view());
}

} // namespace

TEST(StructureOutput, WhatOpenat2WasAskedFor) {
    const std::string how =
        bytes_of(uint64_t{O_CREAT | O_WRONLY | 1ull << 40}, uint64_t{0640}, uint64_t{0x10});
    const Event event = with("openat2", -ENOENT, 2, "open_how", how);
    EXPECT_THAT(line("text", event), HasSubstr(" how_flags=0x10000000041 how_mode=0640 how_resolve=0x10"));
    const auto made = nlohmann::json::parse(line("json", event));
    EXPECT_EQ(
        made["linux"]["syscall"]["structures"],
        nlohmann::json::parse(R"({"how": {"flags": ["O_WRONLY", "O_CREAT", "0x10000000000"], "mode": "0640",
                                                "resolve": ["RESOLVE_IN_ROOT"]}})"));
    EXPECT_FALSE(made["linux"]["syscall"]["args"].contains("how")) << "where in memory it was is of no use";
    EXPECT_THAT(line("audit", event), HasSubstr("type=OPENAT2 "));
    EXPECT_THAT(line("audit", event), HasSubstr(" oflag=020000000000101 mode=0640 resolve=0x10"));
}

/// By what it was asked for, as of every open.
TEST(StructureOutput, AnOpenat2ThatWritesIsNoReader) {
    const std::string writes = bytes_of(uint64_t{O_WRONLY | O_TRUNC}, uint64_t{0}, uint64_t{0});
    const auto made = nlohmann::json::parse(line("json", with("openat2", 3, 2, "open_how", writes)));
    EXPECT_EQ(made["event"]["action"], "modification");
    const std::string reads = bytes_of(uint64_t{O_RDONLY}, uint64_t{0}, uint64_t{0});
    EXPECT_EQ(nlohmann::json::parse(line("json", with("openat2", 3, 2, "open_how", reads)))["event"]["type"],
              nlohmann::json::array({"access"}));
}

TEST(StructureOutput, CapabilitiesOfAFileByName) {
    const std::string value = bytes_of(0x02000001u, 1u << 13, 0u, 0u, 0u);
    const Event event = with("setxattr", 0, 2, "vfs_cap_data", value);
    EXPECT_THAT(line("text", event),
                HasSubstr(" value_revision=0x2000001 value_permitted=0x2000 value_inheritable=0x0"));
    EXPECT_THAT(line("text", event), Not(HasSubstr("rootid"))) << "which only revision 3 has";
    EXPECT_EQ(nlohmann::json::parse(line("json", event))["linux"]["syscall"]["structures"]["value"],
              nlohmann::json::parse(R"({"revision": ["VFS_CAP_FLAGS_EFFECTIVE", "VFS_CAP_REVISION_2"],
                                        "permitted": ["CAP_NET_RAW"], "inheritable": []})"));
}

TEST(StructureOutput, TimesAsEveryOtherTimeIfAClockCanShowThem) {
    EXPECT_EQ(time_text(0, 1), "1970-01-01T00:00:00.000000001Z");
    EXPECT_EQ(time_text(18446744072, 0).substr(0, 4), "2554");
    EXPECT_EQ(time_text(18446744073, 0), "18446744073.0");
    EXPECT_EQ(time_text(-1, 0), "-1.0");
    EXPECT_EQ(time_text(0, 1'000'000'000), "0.1000000000") << "which the kernel refuses";
    EXPECT_EQ(time_text(std::numeric_limits<int64_t>::min(), UINT64_MAX),
              "-9223372036854775808.18446744073709551615");
}

TEST(StructureOutput, WhatCouldNotBeReadIsListed) {
    Event event = with("openat2", -EFAULT, 2, "open_how", "");
    event.structure.status = Status::fault;
    EXPECT_THAT(line("text", event), HasSubstr(" how=?"));
    EXPECT_THAT(line("text", event), HasSubstr(" fault=how"));
    const auto made = nlohmann::json::parse(line("json", event));
    EXPECT_FALSE(made["linux"]["syscall"].contains("structures"));
    EXPECT_EQ(made["linux"]["telemetry"]["fault"], nlohmann::json::array({"linux.syscall.structures.how"}));
}
