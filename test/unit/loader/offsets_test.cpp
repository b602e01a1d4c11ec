// SPDX-License-Identifier: MIT
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "loader/src/base/kernel_image.hpp"
#include "loader/src/offsets/offset_resolver.hpp"
#include "loader/src/offsets/unreported.hpp"
#include "telemetry/app/advice.hpp"
#include "test/unit/support/temporary_folder.hpp"

#include <ctime>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace ebpf_loader {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::offsets);
        return telemetry::with_advice(error);
    }
    return "(no error)";
}

std::string name_of(const OffsetRow& row) {
    return std::string(row.structure) + "." + std::string(row.member);
}

uint32_t value_of(const Offsets& offsets, const char* name) {
    return offsets.get(Offsets::find(name).value()).value();
}

/// A sound set: every row at a place of its own, the ids of struct cred in a row.
Offsets sound_offsets() {
    Offsets offsets;
    offsets.release = "5.4.0-42-generic";
    offsets.source = "a test";
    for (size_t row = 0; row < offset_rows().size(); ++row)
        offsets.set(row, static_cast<uint32_t>(8 * row));
    offsets.set(*Offsets::find("cred.uid"), 4);
    offsets.set(*Offsets::find("cred.fsgid"), 32);
    return offsets;
}

TEST(Offsets, RowsHaveNamesAndPaths) {
    for (size_t row = 0; row < offset_rows().size(); ++row) {
        EXPECT_EQ(Offsets::find(name_of(offset_rows()[row])), row) << "a name twice in offsets.def";
        for (const MemberPath& place : parse_member_paths(offset_rows()[row].paths)) {
            EXPECT_FALSE(place.structure.empty());
            EXPECT_THAT(place.members, AllOf(Not(IsEmpty()), Not(Contains(""))))
                << name_of(offset_rows()[row]);
        }
    }
    EXPECT_EQ(Offsets::find("task_struct.no_such"), std::nullopt);
    EXPECT_EQ(Offsets::find(""), std::nullopt);
}

TEST(Offsets, WhatEventsLackIsNamed) {
    EXPECT_THAT(unreported(sound_offsets()), IsEmpty());
    Offsets offsets;
    for (size_t row = 0; row < offset_rows().size(); ++row)
        if (name_of(offset_rows()[row]) != "nsproxy.mnt_ns" &&
            name_of(offset_rows()[row]) != "fs_struct.users")
            offsets.set(row, static_cast<uint32_t>(8 * row));
    EXPECT_THAT(unreported(offsets), testing::ElementsAre("mnt_ns, the mount namespace (nsproxy.mnt_ns)",
                                                          "shared, of directories (fs_struct.users)"));
}

TEST(Offsets, PathsKeepTheirOrder) {
    const std::vector<MemberPath> places = parse_member_paths("thread_info.status|task_struct.thread.status");
    ASSERT_EQ(places.size(), 2u);
    EXPECT_EQ(places[0].structure, "thread_info");
    EXPECT_THAT(places[1].members, testing::ElementsAre("thread", "status"));
}

TEST(Offsets, ASoundSetHasNoProblems) {
    EXPECT_THAT(sound_offsets().problems(), IsEmpty());
    EXPECT_NO_THROW(require_sound(sound_offsets()));
}

TEST(Offsets, EveryRequiredFieldIsMissed) {
    for (size_t row = 0; row < offset_rows().size(); ++row) {
        Offsets offsets = sound_offsets();
        offsets.set(row, std::nullopt);
        if (offset_rows()[row].required)
            EXPECT_THAT(offsets.problems(),
                        Contains(HasSubstr(name_of(offset_rows()[row]) + " is required")));
        else
            EXPECT_THAT(offsets.problems(), IsEmpty());
    }
}

TEST(Offsets, BrokenInvariantsAreNamed) {
    Offsets offsets = sound_offsets();
    offsets.set(*Offsets::find("cred.fsgid"), 40);
    EXPECT_THAT(offsets.problems(), Contains(AllOf(HasSubstr("cred.fsgid = 40"), HasSubstr("cred.uid = 4"))));

    offsets = sound_offsets();
    offsets.set(*Offsets::find("mount.mnt"), value_of(offsets, "mount.mnt_parent"));
    EXPECT_THAT(offsets.problems(), Contains(AllOf(HasSubstr("mount.mnt "), HasSubstr("mount.mnt_parent"))));

    offsets = sound_offsets();
    offsets.set(*Offsets::find("mm_struct.exe_file"), 70000);
    EXPECT_THAT(offsets.problems(), Contains(HasSubstr("mm_struct.exe_file = 70000")));
    EXPECT_THAT(error_of([&] { require_sound(offsets); }),
                AllOf(HasSubstr("mm_struct.exe_file"), HasSubstr("a test"), HasSubstr("make conf")));
}

void set(Offsets& offsets, const char* name, uint32_t value) {
    offsets.set(*Offsets::find(name), value);
}

/// What has to be close together, as Linux 6.18 has it.
Offsets close_offsets() {
    Offsets offsets = sound_offsets();
    const std::pair<const char*, uint32_t> places[] = {
        {"dentry.d_hash_pprev", 16},
        {"dentry.d_parent", 24},
        {"dentry.d_name", 32},
        {"qstr.len", 4},
        {"qstr.name", 8},
        {"mount.mnt_parent", 16},
        {"mount.mnt_mountpoint", 24},
        {"mount.mnt", 32},
        {"vfsmount.mnt_root", 0},
        {"path.mnt", 0},
        {"path.dentry", 8},
        {"task_struct.real_parent", 1280},
        {"task_struct.group_leader", 1328},
        {"task_struct.loginuid", 1952},
        {"task_struct.sessionid", 1956},
        {"task_struct.seccomp_mode", 1960},
        {"task_struct.self_exec_id", 2016},
        {"task_struct.cred", 1736},
        {"task_struct.fs", 1816},
        {"task_struct.files", 1824},
        {"task_struct.nsproxy", 1840},
        {"fs_struct.users", 0},
        {"fs_struct.root", 24},
        {"fs_struct.pwd", 40},
        {"files_struct.count", 0},
        {"files_struct.fdt", 32},
        {"fdtable.max_fds", 0},
        {"fdtable.fd", 8},
        {"inode.i_mode", 0},
        {"inode.i_uid", 4},
        {"inode.i_gid", 8},
        {"inode.i_sb", 40},
        {"inode.i_ino", 64},
        {"file.f_path", 64},
        {"file.f_inode", 32},
        {"file.f_mode", 4},
    };
    for (const auto& [name, place] : places)
        set(offsets, name, place);
    return offsets;
}

TEST(Offsets, MembersThatAreReadTogetherMayHaveOthersBetweenThem) {
    Offsets offsets = close_offsets();
    // As Linux 5.10 has struct file.
    set(offsets, "file.f_path", 16), set(offsets, "file.f_inode", 32), set(offsets, "file.f_mode", 68);
    EXPECT_THAT(offsets.scattered(), IsEmpty());
    set(offsets, "file.f_mode", 125);
    EXPECT_THAT(offsets.scattered(), testing::ElementsAre("file.f_mode = 125 is not at most 124 above the "
                                                          "start of its structure"));
    offsets = close_offsets();
    set(offsets, "task_struct.nsproxy", 1736 + 249);
    EXPECT_THAT(offsets.scattered(), testing::ElementsAre(HasSubstr("task_struct.nsproxy = 1985 is not at "
                                                                    "most 248 above task_struct.cred")));
    offsets.set(*Offsets::find("task_struct.nsproxy"), std::nullopt);
    EXPECT_THAT(offsets.scattered(), IsEmpty()) << "what is not there is not read";
    set(offsets, "task_struct.fs", 1728);
    EXPECT_THAT(offsets.scattered(), testing::ElementsAre("task_struct.fs = 1728 is not between "
                                                          "task_struct.cred and task_struct.files"));
}

TEST(Offsets, ScatteredMembersAreNamed) {
    Offsets offsets = close_offsets();
    const auto set = [&](const char* name, uint32_t value) { offsets.set(*Offsets::find(name), value); };
    EXPECT_THAT(offsets.scattered(), IsEmpty());
    set("mount.mnt", 24), set("vfsmount.mnt_root", 8);
    EXPECT_THAT(offsets.scattered(), IsEmpty()) << "the root alone has to be there";
    set("vfsmount.mnt_root", 16);
    EXPECT_THAT(offsets.scattered(), testing::ElementsAre("mount.mnt + vfsmount.mnt_root = 40 is not 16 "
                                                          "above mount.mnt_parent = 16"));
    set("vfsmount.mnt_root", 8), set("mount.mnt_mountpoint", 8);
    EXPECT_THAT(offsets.scattered(),
                testing::ElementsAre(HasSubstr("mount.mnt_mountpoint = 8 is not 8 above")));
    set("mount.mnt_mountpoint", 24), set("dentry.d_name", 64);
    EXPECT_THAT(offsets.scattered(), testing::ElementsAre(HasSubstr("dentry.d_name = 64 is not 8 above")));
    set("dentry.d_name", 32), set("qstr.len", 0), set("qstr.name", 16);
    EXPECT_THAT(offsets.scattered(),
                testing::ElementsAre("qstr.len = 0 is not 4", "qstr.name = 16 is not 8"));
    set("qstr.len", 4), set("qstr.name", 8), set("dentry.d_hash_pprev", 8);
    EXPECT_THAT(offsets.scattered(),
                testing::ElementsAre("dentry.d_parent = 24 is not 8 above dentry.d_hash_pprev = 8"));
    offsets.set(*Offsets::find("dentry.d_hash_pprev"), std::nullopt);
    EXPECT_THAT(offsets.scattered(), IsEmpty()) << "what is not there is not read";
}

TEST(Offsets, AnotherReleaseIsRefused) {
    Offsets offsets = sound_offsets();
    EXPECT_NO_THROW(require_release(offsets, "5.4.0-42-generic"));
    EXPECT_THAT(
        error_of([&] { require_release(offsets, "5.4.0-43-generic"); }),
        AllOf(HasSubstr("5.4.0-42-generic"), HasSubstr("5.4.0-43-generic"), HasSubstr("--any-release")));
    offsets.release.clear();
    EXPECT_NO_THROW(require_release(offsets, "5.4.0-43-generic"));
}

class OffsetsConfig : public testing::Test {
  protected:
    std::string write(const std::string& text) {
        std::string file = folder_.path() + "/test.conf";
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }
    Offsets read(const std::string& text) { return Offsets::from_config(write(text)); }
    std::string error(const std::string& text) {
        return error_of([&] { read(text); });
    }
    static std::string sound_text() {
        std::ostringstream text;
        sound_offsets().write_config(text);
        return text.str();
    }
    /// The sound config with one line changed.
    static std::string with(const std::string& old_text, const std::string& new_text) {
        std::string text = sound_text();
        const size_t at = text.find(old_text);
        EXPECT_NE(at, text.npos) << old_text;
        return text.replace(at, old_text.size(), new_text);
    }

    TemporaryFolder folder_;
};

TEST_F(OffsetsConfig, ReadsWhatItWrites) {
    Offsets written = sound_offsets();
    written.set(*Offsets::find("task_struct.loginuid"), std::nullopt);
    std::ostringstream text;
    written.write_config(text);
    const Offsets got = read(text.str());
    EXPECT_EQ(got.release, written.release);
    EXPECT_THAT(got.source, HasSubstr("test.conf"));
    for (size_t row = 0; row < offset_rows().size(); ++row)
        EXPECT_EQ(got.get(row), written.get(row)) << name_of(offset_rows()[row]);
    EXPECT_THAT(text.str(), HasSubstr("\ntask_struct.loginuid = absent"));
    EXPECT_THAT(text.str(), HasSubstr("# Source: a test\nrelease = 5.4.0-42-generic\n"));
}

TEST_F(OffsetsConfig, AnyRelease) {
    Offsets offsets = sound_offsets();
    offsets.release.clear();
    std::ostringstream text;
    offsets.write_config(text);
    EXPECT_THAT(text.str(), HasSubstr("release = any\n"));
    EXPECT_EQ(read(text.str()).release, "");
}

TEST_F(OffsetsConfig, TakesWindowsLineEndsBlanksAndHexadecimal) {
    std::string text = with("path.mnt = ", "\t path.mnt=\t0x7F8 # ");
    for (size_t at = 0; (at = text.find('\n', at)) != text.npos; at += 2)
        text.replace(at, 1, "\r\n");
    EXPECT_EQ(value_of(read(text), "path.mnt"), 0x7f8u);
}

TEST_F(OffsetsConfig, TakesALastLineWithoutItsEnd) {
    std::string text = sound_text();
    text.pop_back();
    EXPECT_NO_THROW(read(text));
}

TEST_F(OffsetsConfig, NamesFileLineTextAndRemedy) {
    EXPECT_THAT(error("# first\n\nrelease = any\npath.mnt = 1x\n"),
                AllOf(HasSubstr(folder_.path() + "/test.conf:4: "), HasSubstr("\n    path.mnt = 1x\n"),
                      HasSubstr("make conf")));
}

TEST_F(OffsetsConfig, RefusesWhatItDoesNotKnow) {
    EXPECT_THAT(error("path.moont = 8\n"), HasSubstr(":1: unknown field"));
    EXPECT_THAT(error("[offsets]\n"), HasSubstr("expected `struct.member = offset`"));
    EXPECT_THAT(error("= 8\n"), HasSubstr("unknown field"));
}

TEST_F(OffsetsConfig, RefusesWhatIsGivenTwice) {
    EXPECT_THAT(error("path.mnt = 8\npath.mnt = 8\n"), HasSubstr(":2: this field is given twice"));
    EXPECT_THAT(error("release = a\nrelease = b\n"), HasSubstr(":2: the release is given twice"));
    EXPECT_THAT(error("task_struct.loginuid = absent\ntask_struct.loginuid = 8\n"), HasSubstr(":2: "));
}

TEST_F(OffsetsConfig, RefusesBadNumbers) {
    for (const char* number : {"", "-1", "+1", "1 2", "0x", "0xg", "x10", "4294967296", "1e3", "0x-1", "1.",
                               "012a", "Absent", "\"8\""})
        EXPECT_THAT(error("path.mnt = " + std::string(number) + "\n"), HasSubstr("expected a number"))
            << number;
    EXPECT_EQ(value_of(read(with("path.mnt = ", "path.mnt = 4294967295 #")), "path.mnt"), 4294967295u);
}

TEST_F(OffsetsConfig, RefusesBadReleases) {
    EXPECT_THAT(error("release =\n"), HasSubstr("expected the kernel release"));
    EXPECT_THAT(error("release = 5.4 or so\n"), HasSubstr("expected the kernel release"));
}

TEST_F(OffsetsConfig, RequiredFieldsCannotBeLeftOut) {
    EXPECT_THAT(error("path.mnt = absent\n"), HasSubstr("required"));
    EXPECT_THAT(error(with("path.mnt = ", "#")),
                AllOf(HasSubstr("ends without"), HasSubstr("\n  path.mnt\n")));
    EXPECT_THAT(error(with("release = ", "#")), HasSubstr("\n  release\n"));
    EXPECT_THAT(error(""), AllOf(HasSubstr("\n  release"), HasSubstr("\n  task_struct.pid")));
    EXPECT_EQ(read(with("task_struct.loginuid = ", "#")).get(*Offsets::find("task_struct.loginuid")),
              std::nullopt);
}

TEST_F(OffsetsConfig, ShowsHostileBytesHarmlessly) {
    const std::string message = error(std::string("\x1b[2J\xff\0path.mnt = 8\n", 16));
    EXPECT_THAT(message, HasSubstr("\\x1b[2J\\xff\\x00path.mnt"));
    EXPECT_EQ(message.find('\x1b'), message.npos);
    EXPECT_LT(error(std::string(500000, 'x')).size(), 1000u);
}

TEST_F(OffsetsConfig, RefusesWhatIsNoConfig) {
    EXPECT_THAT(error_of([] { Offsets::from_config("/dev/zero"); }), HasSubstr("larger than"));
    EXPECT_THAT(error_of([] { Offsets::from_config("/"); }), HasSubstr("Is a directory"));
    EXPECT_THAT(error_of([] { Offsets::from_config("/no/such.conf"); }),
                AllOf(HasSubstr("/no/such.conf: No such file"), HasSubstr("make conf")));
    EXPECT_THAT(error(std::string(1 << 20, '#')), HasSubstr("ends without"));
    EXPECT_THAT(error(std::string((1 << 20) + 1, '#')), HasSubstr("larger than"));
}

} // namespace
} // namespace ebpf_loader
