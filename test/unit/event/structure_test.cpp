// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <set>

#include <ebpf_loader/constants.hpp>
#include <linux/openat2.h>

#include "telemetry/event/structure.hpp"
#include "test/unit/event/decoder_support.hpp"
#include "test/unit/support/bytes_of.hpp"

using namespace decoder_test;

namespace {

Decoded openat2_of(uint64_t resolve, int64_t ret) {
    RecordBuilder builder("openat2");
    builder.header.ret = ret;
    builder.field(EBT_FIELD_DIR, path_bytes("/jail"), arg(1));
    builder.field(EBT_FIELD_STRING, "/etc/shadow", flagged(1, EBT_USER_MEMORY));
    builder.field(EBT_FIELD_STRING, bytes_of(uint64_t{O_CLOEXEC}, uint64_t{0600}, resolve),
                  flagged(2, EBT_USER_MEMORY));
    return Decoded(builder);
}

const StructureMember& member(std::string_view layout, size_t index) {
    return find_structure(layout)->members[index];
}

} // namespace

TEST(Structure, EachThatTheTableNamesIsKnownAndFits) {
    std::set<std::string_view> named;
    for (const ebpf_loader::SyscallRow& row : ebpf_loader::syscall_rows())
        for (const ebpf_loader::Argument& argument : row.argument) {
            if (argument.kind != ebpf_loader::ArgKind::structure)
                continue;
            named.insert(argument.flag_set);
            const StructureLayout* layout = find_structure(argument.flag_set);
            ASSERT_TRUE(layout) << row.name << " " << argument.flag_set;
            for (const StructureMember& part : layout->members) {
                EXPECT_LE(part.offset + part.size, EBT_BYTES_MAX) << row.name << " " << part.name;
                EXPECT_TRUE(argument.link < EBT_FIXED(0) ||
                            part.offset + part.size <= argument.link - EBT_FIXED(0))
                    << row.name << " " << part.name;
                EXPECT_EQ(part.form == StructureMember::Form::flags, !part.names.empty()) << part.name;
                EXPECT_TRUE(part.names.empty() || !ebpf_loader::constants_of(part.names).empty())
                    << part.names;
            }
        }
    EXPECT_GE(named.size(), 9u);
}

TEST(Structure, SaysWhatOpenat2WasAskedFor) {
    const Decoded decoded = openat2_of(RESOLVE_IN_ROOT, -ENOENT);
    EXPECT_TRUE(decoded.good);
    EXPECT_EQ(decoded.event.structure_argument, 2);
    EXPECT_EQ(decoded.event.strings, 0) << "it is no string";
    EXPECT_EQ(member_of(decoded.event, "flags"), uint64_t{O_CLOEXEC});
    EXPECT_EQ(member_of(decoded.event, "mode"), 0600u);
    EXPECT_EQ(member_of(decoded.event, "resolve"), uint64_t{RESOLVE_IN_ROOT});
    EXPECT_EQ(member_of(decoded.event, "no such"), std::nullopt);
}

/// Only then the directory may be the root of the path.
TEST(Structure, SaysWhereAFailedOpenat2BeganToLook) {
    EXPECT_TRUE(openat2_of(RESOLVE_IN_ROOT, -ENOENT).path().lexical);
    EXPECT_FALSE(openat2_of(RESOLVE_BENEATH, -EXDEV).path().lexical);
    EXPECT_FALSE(openat2_of(0, -ENOENT).path().lexical);
}

TEST(Structure, OfWhichTheCallerGaveLessHasFewerMembers) {
    RecordBuilder builder("openat2");
    builder.header.ret = -EINVAL;
    builder.field(EBT_FIELD_STRING, bytes_of(uint64_t{O_RDWR}, uint32_t{1}), flagged(2, EBT_USER_MEMORY));
    const Decoded decoded(builder);
    EXPECT_EQ(member_of(decoded.event, "flags"), uint64_t{O_RDWR});
    EXPECT_EQ(member_of(decoded.event, "mode"), std::nullopt) << "half of it";
    EXPECT_EQ(member_of(decoded.event, "resolve"), std::nullopt);
}

TEST(Structure, ThatCouldNotBeReadHasNone) {
    RecordBuilder builder("openat2");
    builder.field(EBT_FIELD_STRING, "", failed(2, EBT_FAULT));
    const Decoded decoded(builder);
    EXPECT_TRUE(decoded.event.structure_layout);
    EXPECT_EQ(decoded.event.structure.status, Status::fault);
    EXPECT_EQ(member_of(decoded.event, "flags"), std::nullopt);
}

/// What setxattr stores is one only under that name.
TEST(Structure, CapabilitiesOfAFile) {
    const auto of = [](std::string_view name, const std::string& value) {
        RecordBuilder builder("setxattr");
        builder.field(EBT_FIELD_STRING, "/f", flagged(0, EBT_USER_MEMORY));
        builder.field(EBT_FIELD_STRING, name, flagged(1, EBT_USER_MEMORY));
        builder.field(EBT_FIELD_STRING, value, flagged(2, EBT_USER_MEMORY));
        return Decoded(builder);
    };
    const uint32_t revision_3 = 0x03000001;
    const std::string value = bytes_of(revision_3, 1u << 13, 1u << 1, 1u << 7, 0u, 1000u);
    const Decoded decoded = of("security.capability", value);
    EXPECT_EQ(decoded.event.strings, 1);
    EXPECT_EQ(member_of(decoded.event, "revision"), revision_3);
    EXPECT_EQ(member_of(decoded.event, "permitted"), 1ull << 39 | 1ull << 13);
    EXPECT_EQ(member_of(decoded.event, "inheritable"), 1u << 1);
    EXPECT_EQ(member_of(decoded.event, "rootid"), 1000u);
    const Decoded short_one = of("security.capability", value.substr(0, 12)); // revision 1
    EXPECT_EQ(member_of(short_one.event, "permitted"), 1ull << 13);
    EXPECT_EQ(member_of(short_one.event, "rootid"), std::nullopt);
    const Decoded other = of("user.capability", value);
    EXPECT_FALSE(other.event.structure_layout);
    ASSERT_EQ(other.event.strings, 2);
    EXPECT_EQ(other.event.string[1].bytes, value);
}

TEST(Structure, TimesAreAnyNumbers) {
    using What = TimeOfMember::What;
    const int64_t least = std::numeric_limits<int64_t>::min();
    const std::string both = bytes_of(least, int64_t{-1}, int64_t{7}, int64_t{UTIME_NOW});
    const TimeOfMember first = time_of(member("timespecs", 0), both);
    EXPECT_EQ(first.what, What::time);
    EXPECT_EQ(first.seconds, least);
    EXPECT_EQ(first.nanoseconds, UINT64_MAX);
    EXPECT_EQ(time_of(member("timespecs", 1), both).what, What::now);
    const std::string narrow = bytes_of(int32_t{-2}, int32_t{3}, int32_t{0}, int32_t{UTIME_OMIT});
    EXPECT_EQ(time_of(member("timespecs32", 0), narrow).seconds, -2);
    EXPECT_EQ(time_of(member("timespecs32", 0), narrow).nanoseconds, 3u);
    EXPECT_EQ(time_of(member("timespecs32", 1), narrow).what, What::omit);
    EXPECT_EQ(time_of(member("timevals", 0), bytes_of(int64_t{1}, int64_t{UTIME_NOW})).nanoseconds,
              uint64_t{UTIME_NOW} * 1000)
        << "utimes knows no now";
    EXPECT_EQ(time_of(member("utimbuf", 1), bytes_of(int64_t{1}, int64_t{-5})).seconds, -5);
    EXPECT_EQ(time_of(member("utimbuf32", 0), bytes_of(int32_t{-6}, int32_t{1})).seconds, -6);
    EXPECT_EQ(time_of(member("timespecs", 1), "short").seconds, 0);
}
