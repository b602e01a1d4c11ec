// SPDX-License-Identifier: MIT
// Spellings of a path, and the one that the kernel would use.
#include "telemetry/event/lexical_path.hpp"

#include <ctime>
#include <filesystem>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace telemetry;

struct Lexical {
    explicit Lexical(const WrittenPath& written) : result(lexical_path(written, arena)), path(result.bytes) {}
    std::string flags() const {
        std::string text;
        if (result.is_guess)
            text += "guess ";
        if (result.is_relative)
            text += "relative ";
        return text;
    }
    Arena arena{1 << 16};
    LexicalPath result;
    std::string path;
};

WrittenPath by_process_42(std::string_view bytes) {
    WrittenPath written;
    written.bytes = bytes;
    written.pid = 42;
    written.cwd = "/home/me";
    return written;
}

/// Written relative to a directory that the kernel gave.
WrittenPath below(std::string_view base, std::string_view bytes) {
    WrittenPath written = by_process_42(bytes);
    written.base = base.size();
    return written;
}

struct Case {
    std::string_view written, expected;
    std::string_view flags = "";
};

TEST(LexicalPath, TakesOutWhatSaysNothing) {
    constexpr Case cases[] = {
        {"/etc/passwd", "/etc/passwd"},
        {"//etc///passwd", "/etc/passwd"},
        {"/./etc/././passwd", "/etc/passwd"},
        {"/etc/passwd/", "/etc/passwd"},
        {"/etc/passwd//", "/etc/passwd"},
        {"/etc/passwd/.", "/etc/passwd"},
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/..", "/"},
        {"/../../etc", "/etc"},
        {"/...", "/..."},
        {"/.hidden/..dots/x..", "/.hidden/..dots/x.."},
        {"", ""},
    };
    for (const Case& c : cases) {
        const Lexical lexical(by_process_42(c.written));
        EXPECT_EQ(lexical.path, c.expected) << c.written;
        EXPECT_EQ(lexical.flags(), c.flags) << c.written;
        EXPECT_EQ(lexical.result.changed, c.written != c.expected) << c.written;
    }
}

/// The name before ".." may be a symbolic link.
TEST(LexicalPath, GuessesWhereANameIsFollowedByDots) {
    constexpr Case cases[] = {
        {"/tmp/../etc/passwd", "/etc/passwd", "guess "},
        {"/a/b/../../c", "/c", "guess "},
        {"/a/b/..", "/a", "guess "},
        {"/a/..", "/", "guess "},
        {"/a/../../../b", "/b", "guess "},
        {"/a/./../b", "/b", "guess "},
        {"/a//..//b", "/b", "guess "},
        {"/..a/..", "/", "guess "},
    };
    for (const Case& c : cases) {
        const Lexical lexical(by_process_42(c.written));
        EXPECT_EQ(lexical.path, c.expected) << c.written;
        EXPECT_EQ(lexical.flags(), c.flags) << c.written;
    }
}

/// What the kernel gave has no symbolic links.
TEST(LexicalPath, KnowsTheParentOfADirectoryThatTheKernelGave) {
    constexpr std::string_view base = "/home/me";
    constexpr Case cases[] = {
        {"/home/me/file", "/home/me/file"},
        {"/home/me/../file", "/home/file"},
        {"/home/me/../../file", "/file"},
        {"/home/me/../../../file", "/file"},
        {"/home/me/..", "/home"},
        {"/home/me/../..", "/"},
        {"/home/me/a/../b", "/home/me/b", "guess "},
        {"/home/me/../a/../b", "/home/b", "guess "},
        {"/home/me/./a", "/home/me/a"},
        {"/home/me/", "/home/me"},
        {"/home/me", "/home/me"},
    };
    for (const Case& c : cases) {
        const Lexical lexical(below(base, c.written));
        EXPECT_EQ(lexical.path, c.expected) << c.written;
        EXPECT_EQ(lexical.flags(), c.flags) << c.written;
    }
    EXPECT_EQ(Lexical(below("", "/../x")).path, "/x") << "the base is the root";
}

/// Dots in a path that the kernel gave are names: no call makes such, but a file system may be hostile.
TEST(LexicalPath, LeavesWhatTheKernelGaveAsItIs) {
    EXPECT_EQ(Lexical(below("/a//b/.", "/a//b/./x")).path, "/a//b/./x");
    EXPECT_TRUE(is_plain(below("/a//b/.", "/a//b/./x")));
}

TEST(LexicalPath, StaysBelowTheRootOfTheProcess) {
    WrittenPath jailed = below("/srv/jail", "/srv/jail/../../etc");
    jailed.root = "/srv/jail";
    EXPECT_EQ(Lexical(jailed).path, "/srv/jail/etc");
    jailed.bytes = "/srv/jail/a/../../b";
    EXPECT_EQ(Lexical(jailed).path, "/srv/jail/b");
    EXPECT_EQ(Lexical(jailed).flags(), "guess ");
    jailed.bytes = "/srv/jail/proc/self/root/etc";
    EXPECT_EQ(Lexical(jailed).path, "/srv/jail/etc");
    jailed.bytes = "/srv/jail/proc/self/root/../../etc";
    EXPECT_EQ(Lexical(jailed).path, "/srv/jail/etc");
    // A directory outside of it, as after an escape: nothing holds the process there.
    WrittenPath outside = below("/home/me", "/home/me/../../../etc");
    outside.root = "/srv/jail";
    EXPECT_EQ(Lexical(outside).path, "/etc");
    WrittenPath sibling = below("/srv/jail2", "/srv/jail2/../x");
    sibling.root = "/srv/jail";
    EXPECT_EQ(Lexical(sibling).path, "/srv/x") << "its name begins like the root's";
}

TEST(LexicalPath, StaysWhereNothingIsMounted) {
    EXPECT_EQ(Lexical(below("(unreachable)/a", "(unreachable)/a/../../../x")).path, "(unreachable)/x");
    EXPECT_EQ(Lexical(below("(unreachable)/a", "(unreachable)/a/proc/self/root/x")).path,
              "(unreachable)/a/proc/self/root/x");
}

TEST(LexicalPath, FollowsTheLinksOfProc) {
    constexpr Case cases[] = {
        {"/proc/self/root/etc/passwd", "/etc/passwd"},
        {"/proc/self/root", "/"},
        {"/proc/self/root/", "/"},
        {"/proc/thread-self/root/etc", "/etc"},
        {"/proc/42/root/etc", "/etc"},
        {"/proc/self/task/42/root/etc", "/etc", "guess "},
        {"/proc/42/task/43/root/etc", "/etc", "guess "},
        {"/proc/1/root/etc", "/etc", "guess "},
        {"/proc/1/task/1/root/etc", "/etc", "guess "},
        {"/proc/self/cwd/file", "/home/me/file"},
        {"/proc/self/cwd/../file", "/home/file"},
        {"/proc/self/cwd", "/home/me"},
        {"/proc/self/root/proc/self/cwd/file", "/home/me/file"},
        {"/proc/self/cwd/proc/self/root/x", "/home/me/proc/self/root/x"},
        {"//proc/./self//root/etc", "/etc"},
        {"/proc/self/root/../etc", "/etc"},
        {"/proc/1/cwd/file", "file", "relative "},
        {"/proc/1/cwd/../file", "../file", "relative "},
        {"/proc/self/fd/5/file", "file", "relative "},
        {"/proc/self/fd/5", "/proc/self/fd/5", "relative "},
        {"/proc/self/fd/5/", "/proc/self/fd/5", "relative "},
        {"/proc/42/fd/5/a/../b", "b", "guess relative "},
        {"/proc/1/fd/5/file", "file", "relative "},
        {"/proc/self/task/42/fd/5/file", "file", "relative "},
        {"/dev/fd/5/file", "file", "relative "},
        {"/dev/fd/5", "/dev/fd/5", "relative "},
        {"/proc/self/map_files/1000-2000", "/proc/self/map_files/1000-2000", "relative "},
        {"/proc/self/exe", "/proc/self/exe", "relative "},
    };
    for (const Case& c : cases) {
        const Lexical lexical(by_process_42(c.written));
        EXPECT_EQ(lexical.path, c.expected) << c.written;
        EXPECT_EQ(lexical.flags(), c.flags) << c.written;
        EXPECT_FALSE(is_plain(by_process_42(c.written))) << c.written;
    }
}

TEST(LexicalPath, LeavesWhatOnlyLooksLikeALinkOfProc) {
    for (const std::string_view path :
         {"/proc/self/status", "/proc/selfish/root/x", "/proc/self/roots/x", "/proc/root/x", "/proc/x/root/y",
          "/proc/self/task/root/x", "/proc/self/task/a/root/x", "/proc/self/fdinfo/3", "/proc/self/net/root",
          "/home/proc/self/root/x", "/dev/fd/x", "/dev/fd", "/proc/self/fd",
          "/proc/12345678901234567890123456789012345678901234567890/root/x"}) {
        const Lexical lexical(by_process_42(path));
        EXPECT_EQ(lexical.path, path);
        EXPECT_EQ(lexical.flags(), "");
        EXPECT_FALSE(lexical.result.changed) << path;
    }
}

TEST(LexicalPath, LeavesALinkThatTheCallDoesNotFollow) {
    WrittenPath written = by_process_42("/proc/self/root");
    written.follows_last = false;
    EXPECT_EQ(Lexical(written).path, "/proc/self/root");
    EXPECT_EQ(Lexical(written).flags(), "");
    written.bytes = "/proc/self/root/";
    EXPECT_EQ(Lexical(written).path, "/") << "a slash behind it follows any link";
    written.bytes = "/proc/self/root/x";
    EXPECT_EQ(Lexical(written).path, "/x");
    written.bytes = "/proc/self/fd/3";
    EXPECT_EQ(Lexical(written).flags(), "");
}

TEST(LexicalPath, NeedsTheWorkingDirectoryToFollowItsLink) {
    WrittenPath written = by_process_42("/proc/self/cwd/file");
    written.cwd = {};
    EXPECT_EQ(Lexical(written).path, "file");
    EXPECT_EQ(Lexical(written).flags(), "relative ");
}

TEST(LexicalPath, SaysWhichDirectoryItStartsFrom) {
    EXPECT_EQ(Lexical(by_process_42("/a/../b")).result.start, LexicalPath::Start::as_written);
    EXPECT_EQ(Lexical(by_process_42("/proc/self/root/x")).result.start, LexicalPath::Start::root);
    EXPECT_EQ(Lexical(by_process_42("/proc/self/cwd/x")).result.start, LexicalPath::Start::cwd);
}

TEST(LexicalPath, KeepsDotsThatLeadOutOfAnUnknownDirectory) {
    constexpr Case cases[] = {
        {"../x", "../x"},
        {"a/../x", "x", "guess "},
        {"../../a/..", "../..", "guess "},
        {"a/..", ".", "guess "},
        {"a//b", "a/b"},
        {"./a", "a"},
        {"..", ".."},
    };
    for (const Case& c : cases) {
        const Lexical lexical(by_process_42(c.written));
        EXPECT_EQ(lexical.path, c.expected) << c.written;
        EXPECT_EQ(lexical.flags(), c.flags) << c.written;
    }
}

TEST(LexicalPath, DoesNotReadTheLastNameOfAPathThatWasCut) {
    WrittenPath written = by_process_42("/a/b/..");
    written.is_cut = true; // it may have gone on as "..x"
    EXPECT_EQ(Lexical(written).path, "/a/b/..");
    written.bytes = "/a//b/.";
    EXPECT_EQ(Lexical(written).path, "/a/b/.");
    written.bytes = "/proc/self/root";
    EXPECT_EQ(Lexical(written).path, "/proc/self/root");
}

TEST(LexicalPath, TakesNoWorkForAPlainPath) {
    for (const std::string_view path :
         {"/", "/etc/passwd", "/etc/.x/..y/z", "relative/name", "..", "../x", ".hidden", "/processes/self"}) {
        EXPECT_TRUE(is_plain(by_process_42(path))) << path;
        EXPECT_EQ(Lexical(by_process_42(path)).path, path);
    }
    for (const std::string_view path :
         {"//", "/a//b", "/a/", "/a/.", "/a/..", "/./a", "/../a", "./a", "a/../b"})
        EXPECT_FALSE(is_plain(by_process_42(path))) << path;
}

std::string any_path(std::mt19937& random) {
    static constexpr std::string_view parts[] = {"a",    "b",    "..",   ".",  "", "...",
                                                 "root", "proc", "self", "fd", "7"};
    std::string path;
    for (size_t i = random() % 12 + 1; i > 0; i--)
        path.append("/").append(parts[random() % std::size(parts)]);
    return path;
}

/// Without links of /proc, another implementation of the same rules.
TEST(LexicalPath, AgreesWithTheStandardLibrary) {
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; i++) {
        const std::string path = any_path(random);
        if (path.find("root") != path.npos || path.find("fd") != path.npos)
            continue;
        std::string expected = std::filesystem::path(path).lexically_normal();
        while (expected.size() > 1 && expected.ends_with('/'))
            expected.pop_back();
        ASSERT_EQ(Lexical(by_process_42(path)).path, expected) << path;
    }
}

TEST(LexicalPath, IsTheSameOnceMore) {
    std::mt19937 random(8);
    for (int i = 0; i < 20'000; i++) {
        const std::string path = any_path(random);
        const Lexical once(by_process_42(path));
        const Lexical twice(by_process_42(once.path));
        if (!once.result.is_relative) { // "fd/7" of an unknown directory is none of /proc any more
            ASSERT_EQ(twice.path, once.path) << path;
        }
        ASSERT_EQ(is_plain(by_process_42(path)) && once.result.changed, false) << path;
    }
}

TEST(LexicalPath, StaysInAnArenaThatIsTooSmall) {
    Arena arena(8);
    EXPECT_EQ(lexical_path(by_process_42("/abc/./defghijkl"), arena).bytes, "/abc/def");
}

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// The longest paths that make the most work.
TEST(LexicalPath, TakesTimeInProportionToItsLength) {
    for (const std::string_view part : {"/..", "/a/..", "//", "/proc/self/root", "/proc/1234567890/root",
                                        "/root", "/proc/self/task/1234567890/fd/1", "/x"}) {
        std::string path = "/proc/12345678901234567890";
        while (path.size() + part.size() < 60'000)
            path += part;
        const double begin = cpu_seconds();
        const Lexical lexical(by_process_42(path));
        EXPECT_LT(cpu_seconds() - begin, 0.25) << part;
    }
}

} // namespace
