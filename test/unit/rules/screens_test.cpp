// SPDX-License-Identifier: MIT
// Which paths the kernel side keeps records for.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <random>

#include <ebpf_loader/selection.hpp>

#include "telemetry/event/decoder.hpp"
#include "telemetry/rules/rules.hpp"
#include "test/unit/support/kernel_filter.hpp"
#include "test/unit/support/record_builder.hpp"

namespace {

using ebpf_loader::PathScreen;
using rules_test::as_components;
using rules_test::as_written;
using rules_test::screens_in;
using telemetry::Rules;

const ebt_plan& plan_of(const ebpf_loader::Selection& selection, const char* call) {
    return selection.plans().at(ebpf_loader::row_of(*ebpf_loader::find_syscall(call)));
}

/// Of an openat with these flags and that result.
uint16_t screens_of(const ebt_plan& plan, uint64_t flags, int64_t ret) {
    telemetry::Event event;
    event.args[2] = flags;
    event.ret = ret;
    return rules_test::screens_passed(plan, event).value();
}

bool is_kept(const ebpf_loader::Selection& selection, uint16_t screens, const std::string& path) {
    return screens == 0 || (screens & EBT_SCREEN_KEEP) ||
           (screens & (screens_in(selection.path_screen(), as_written(path)) |
                       screens_in(selection.path_screen(), as_components(path))));
}

TEST(PathScreens, NeedlesAreOfOneComponentAndRare) {
    const auto needle_of = [](std::vector<std::string_view> texts) { return PathScreen::needle_of(texts); };
    EXPECT_EQ(needle_of({"/etc"}), "/etc");
    EXPECT_EQ(needle_of({"/usr/bin/zq/"}), "/usr");
    EXPECT_EQ(needle_of({"/proc/", "/mem"}), "/mem");
    EXPECT_EQ(needle_of({"/usr/share/wxyz"}), "/wxy");
    for (const std::string_view text : {"", "a", "abc", "/ab", "/ab/", "/a/b/c", "abc/", "ab/cd/ef/gh"})
        EXPECT_EQ(needle_of({text}), "") << text;
    EXPECT_EQ(needle_of({}), "");
}

/// Whatever stands around it, and at whatever place of the record.
TEST(PathScreens, AWantedPathIsAlwaysFound) {
    std::mt19937 random(20261130);
    const auto below = [&](size_t most) {
        return std::uniform_int_distribution<size_t>(0, most - 1)(random);
    };
    const auto name = [&](size_t longest) {
        std::string text;
        for (size_t length = 1 + below(longest); length > 0; length--)
            text.push_back("abcdefghijklmnopqrstuvwxyz.-_~\xff\x01 "[below(33)]);
        return text;
    };
    size_t looked_for = 0;
    for (int i = 0; i < 20000; i++) {
        std::string wanted;
        for (size_t names = 1 + below(3); names > 0; names--)
            wanted.append(below(4) ? "/" : "").append(name(9));
        if (below(3) == 0)
            wanted.push_back('/');
        const std::array<std::string_view, 1> texts{wanted};
        const std::string needle(PathScreen::needle_of(texts));
        if (needle.empty())
            continue;
        looked_for++;
        PathScreen screen;
        const auto number = static_cast<unsigned>(below(PathScreen::screens));
        screen.add(needle, number);
        std::string path = wanted;
        if (below(2) || path.front() != '/')
            path.insert(0, "/" + name(12));
        if (below(2))
            path += name(12);
        ASSERT_TRUE(screens_in(screen, as_written(path)) >> number & 1) << path << " has " << wanted;
        ASSERT_TRUE(screens_in(screen, as_components(path)) >> number & 1) << path << " has " << wanted;
        ASSERT_EQ(screens_in(screen, as_written(path)) & ~(1u << number), 0u);
    }
    EXPECT_GT(looked_for, 10000u);
}

TEST(PathScreens, ARelativePathBeginsAComponent) {
    PathScreen screen;
    screen.add("/etc", 3);
    for (const std::string path : {"etc/passwd", "/etc/passwd", "../etc", "x//etc/y"})
        EXPECT_EQ(screens_in(screen, as_written(path)), 1u << 3) << path;
    EXPECT_EQ(screens_in(screen, as_written("/home/exx")), 0u);
}

TEST(PathScreens, EachComparisonOfNumbersHasThePathsOfItsRules) {
    const auto selection = Rules::parse("openat flags | O_TRUNC && path ^ /etc/shadow\n"
                                        "openat ret = -ENOENT && path $ /id_rsa key keys\n"
                                        "unlink path ~ authorized_keys path = /etc/passwd\n"
                                        "not unlink path ^ /home/",
                                        "test")
                               .compile();
    const ebt_plan& open = plan_of(selection, "openat");
    const uint16_t emptied = screens_of(open, 01000, 3), missing = screens_of(open, 0, -2);
    EXPECT_NE(emptied, 0);
    EXPECT_NE(missing, 0);
    EXPECT_NE(emptied, missing);
    EXPECT_TRUE(is_kept(selection, emptied, "/etc/shadow"));
    EXPECT_FALSE(is_kept(selection, emptied, "/root/.ssh/id_rsa"));
    EXPECT_TRUE(is_kept(selection, missing, "/root/.ssh/id_rsa"));
    EXPECT_FALSE(is_kept(selection, missing, "/etc/shadow"));
    EXPECT_TRUE(is_kept(selection, screens_of(open, 01000, -2), "/root/.ssh/id_rsa")) << "both";
    const ebt_plan& unlink = plan_of(selection, "unlink");
    EXPECT_NE(unlink.screens, 0);
    EXPECT_TRUE(is_kept(selection, unlink.screens, "/home/u/.ssh/authorized_keys"));
    EXPECT_FALSE(is_kept(selection, unlink.screens, "/home/u/mail"));
}

TEST(PathScreens, WhatIsWantedWhateverItsPathIsKept) {
    for (const char* text : {"unlink", "unlink path ^ /etc/ exe $ /rm", "unlink path != /etc/passwd",
                             "unlink path ^ /etc/ path $ .c", "unlink path ^ /a/", "execve path ^ /etc/",
                             "@exec path ^ /tmp/user/"}) {
        const auto selection = Rules::parse(text, "test").compile();
        for (const auto& [row, plan] : selection.plans())
            EXPECT_EQ(plan.screens, 0) << text;
    }
    const auto selection =
        Rules::parse("openat flags | O_TRUNC && path ^ /etc/\nopenat ret = -ENOENT && exe $ /sh", "test")
            .compile();
    const ebt_plan& open = plan_of(selection, "openat");
    EXPECT_EQ(screens_of(open, 0, -2), EBT_SCREEN_KEEP);
    EXPECT_FALSE(is_kept(selection, screens_of(open, 01000, 3), "/home/u/mail"));
    EXPECT_TRUE(is_kept(selection, screens_of(open, 01000, -2), "/home/u/mail"));
}

TEST(PathScreens, MoreListsThanScreensShareTheLast) {
    std::string text;
    for (int i = 0; i < 40; i++)
        text.append("openat flags = ")
            .append(std::to_string(i))
            .append(" && path ^ /folder")
            .append(std::to_string(1000 + i) + "/\n");
    text = text.substr(0, text.find("flags = 32")); // so many comparisons a call
    text = text.substr(0, text.rfind('\n') + 1);
    const auto selection = Rules::parse(text, "test").compile();
    const ebt_plan& open = plan_of(selection, "openat");
    for (uint64_t i = 0; i < 32; i++) {
        const uint16_t screens = screens_of(open, i, 3);
        EXPECT_EQ(std::popcount(screens), 1);
        EXPECT_TRUE(is_kept(selection, screens, "/folder" + std::to_string(1000 + i) + "/x"));
        EXPECT_FALSE(is_kept(selection, screens, "/usr/lib/os-release"));
    }
}

/// Where it leads is not known, so rules take it for what they want.
TEST(PathScreens, APathThatLeadsThroughAnotherFileIsKept) {
    const auto rules = Rules::parse("openat path ^ /secret/\nunlinkat path $ /shadow", "test");
    const auto selection = rules.compile();
    struct Written {
        const char *directory, *name;
        bool is_kept = true;
    };
    for (const Written& written :
         {Written{"/a", "/proc/self/fd/3/x"}, Written{"/a", "/proc/self//fd/.//3"},
          Written{"/a", "/dev/fd/3/x"}, Written{"/a", "/proc/9/task/9/fd/3/x"},
          Written{"/a", "/proc/9/cwd/x"}, Written{"/a", "/proc/9/exe"},
          Written{"/a", "/proc/self/map_files/1-2"}, Written{"/proc", "9/fd/3/x"}, Written{"/dev", "fd/3/x"},
          Written{"/proc/9", "fd/3/x"}, Written{"/proc/9", "./fd/3"}, Written{"/proc/9/fd", "3/x"},
          Written{"/proc/9/fd", "3"}, Written{"/proc/9", "cwd/x"}, Written{"/proc/9", "exe"},
          Written{"/proc/9/map_files", "1-2"}, Written{"/a", "/proc/self/status", false},
          Written{"/proc/9", "fdinfo", false}, Written{"/a", "/usr/lib/x", false}}) {
        RecordBuilder builder("openat");
        builder.header.ret = -13;
        builder.field(EBT_FIELD_CWD, RecordBuilder::components(written.directory));
        builder.field(EBT_FIELD_STRING, written.name, {.arg = 1, .flags = EBT_USER_MEMORY});
        const std::vector<std::byte> record = builder.bytes();
        telemetry::Decoder decoder;
        telemetry::Event event;
        ASSERT_TRUE(decoder.decode(record, event));
        const std::string_view fields(reinterpret_cast<const char*>(record.data()), record.size());
        const uint16_t found = screens_in(selection.path_screen(), fields.substr(sizeof(ebt_header)));
        EXPECT_EQ(rules.matches(event), written.is_kept) << written.directory << " " << written.name;
        EXPECT_TRUE(!written.is_kept || (found & plan_of(selection, "openat").screens))
            << written.directory << " " << written.name;
    }
}

/// Of the built-in rules: opens for reading, which every program makes in great numbers.
TEST(PathScreens, OrdinaryFilesAreNotKept) {
    const auto selection = Rules::parse(Rules::built_in(), "built-in").compile();
    const uint16_t reading = screens_of(plan_of(selection, "openat"), 02000000, 3);
    ASSERT_NE(reading, 0);
    ASSERT_FALSE(reading & EBT_SCREEN_KEEP);
    for (const char* path :
         {"/etc/shadow", "/home/u/.ssh/id_rsa", "/etc/sudoers.d/x", "/root/.aws/credentials", "/proc/1/mem",
          "/var/run/secrets/kubernetes.io/token", "/home/u/.netrc", "/etc/ssh/ssh_host_rsa_key"})
        EXPECT_TRUE(is_kept(selection, reading, path)) << path;
    size_t kept = 0, all = 0;
    for (const char* path : {"/etc/ld.so.cache",
                             "/usr/lib/x86_64-linux-gnu/libc.so.6",
                             "/usr/lib/locale/locale-archive",
                             "/proc/self/stat",
                             "/usr/lib/x86_64-linux-gnu/libpthread.so.0",
                             "/proc/meminfo",
                             "/sys/devices/system/cpu/online",
                             "/usr/lib/python3.11/encodings/__pycache__/utf_8.cpython-311.pyc",
                             "/usr/include/c++/12/bits/stl_vector.h",
                             "/usr/share/zoneinfo/Europe/Berlin",
                             "/home/u/project/src/main.cpp",
                             "/var/log/journal/x/system.journal",
                             "/etc/passwd",
                             "/etc/nsswitch.conf",
                             "/usr/share/locale/de/LC_MESSAGES/coreutils.mo",
                             "/dev/null",
                             "/home/u/project/.git/refs/heads/main",
                             "/usr/lib/gcc/x86_64-linux-gnu/12/include/stddef.h",
                             "/proc/1234/cmdline",
                             "/proc/filesystems",
                             "/etc/localtime",
                             "/home/u/project/node_modules/react/index.js",
                             "/var/lib/dpkg/status",
                             "/usr/bin/dash",
                             "/tmp/ccXy12ab.s"}) {
        kept += is_kept(selection, reading, path);
        all++;
    }
    EXPECT_LE(kept * 6, all) << kept << " of " << all;
}

} // namespace
