// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <ebpf_loader/error.hpp>

#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/child.hpp"
#include "test/unit/support/emulated.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::HasSubstr;

TEST(FileSink, MakesTheFileForItsOwnerAloneAndAppends) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const mode_t old = umask(0);
    for (int run = 0; run < 2; ++run) {
        const auto sink = make_file_sink(path);
        sink->write("run\n", 1);
        sink->finish();
        EXPECT_EQ(sink->lost(), 0U);
    }
    umask(old);
    EXPECT_EQ(contents(path), "run\nrun\n");
    struct stat status = {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(FileSink, FlushesWhenItGoes) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    make_file_sink(path)->write("last words\n", 1);
    EXPECT_EQ(contents(path), "last words\n");
}

TEST(FileSink, ReopensAfterRotation) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const auto sink = make_file_sink(path);
    sink->write("old\n", 1);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    sink->write("old too\n", 1);
    EXPECT_TRUE(sink->reopen());
    sink->write("new\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path + ".1"), "old\nold too\n");
    EXPECT_EQ(contents(path), "new\n");
    EXPECT_EQ(sink->lost(), 0U);
}

/// A reader that takes nothing would hold up who writes.
TEST(FileSink, ItIsNotReopenedAsAPipe) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const auto sink = make_file_sink(path);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const UniqueFd reader(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_FALSE(sink->reopen());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("no regular file any more"));
    sink->write("goes on\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path + ".1"), "goes on\n");
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(FileSink, WhatAKillHasCutIsALineOfItsOwn) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    std::ofstream(path) << "whole\n{\"cut";
    make_file_sink(path)->write("next\n", 1);
    EXPECT_EQ(contents(path), "whole\n{\"cut\nnext\n");
    make_file_sink(path)->write("after\n", 1);
    EXPECT_EQ(contents(path), "whole\n{\"cut\nnext\nafter\n") << "nothing is put behind a whole line";
    std::ofstream(path) << "cut";
    const auto sink = make_file_sink(path, {.buffer_bytes = 4});
    sink->write("longer than what may wait\n", 1);
    std::ofstream(path + ".new") << "cut too";
    ASSERT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
    EXPECT_TRUE(sink->reopen());
    sink->write("new\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path), "cut too\nnew\n");
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(FileSink, OfTheShellsFilesThoseThatAreAppendedToAreLookedAt) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    std::ofstream(path) << "cut";
    const UniqueFd appended(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    make_stream_sink(appended.get(), "standard output")->write("next\n", 1);
    EXPECT_EQ(contents(path), "cut\nnext\n");
    const UniqueFd written(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(ftruncate(written.get(), 1), 0);
    make_stream_sink(written.get(), "standard output")->write("new\n", 1);
    EXPECT_EQ(contents(path), "new\n") << "it writes over what is there";
}

TEST(FileSink, GoesOnWithTheOldFileWhenTheNewOneCannotBe) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const auto sink = make_file_sink(path);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
    EXPECT_FALSE(sink->reopen());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("Is a directory"));
    sink->write("still here\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path + ".1"), "still here\n");
}

TEST(FileSink, ReopensThroughNoNewSymbolicLink) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events", victim = folder.path() + "/victim";
    std::ofstream(victim) << "mine\n";
    const auto sink = make_file_sink(path);
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    ASSERT_EQ(symlink(victim.c_str(), path.c_str()), 0);
    EXPECT_FALSE(sink->reopen());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("symbolic link"));
    sink->write("still here\n", 1);
    sink->finish();
    EXPECT_EQ(contents(victim), "mine\n");
    EXPECT_EQ(contents(path + ".1"), "still here\n");
}

TEST(FileSink, ReopensThroughNoNewSymbolicLinkOnTheWay) {
    if (!emulated::has_openat2())
        GTEST_SKIP() << "there is no openat2(2), without which links on the way are followed";
    const TemporaryFolder folder;
    const std::string logs = folder.path() + "/logs", elsewhere = folder.path() + "/elsewhere";
    ASSERT_EQ(mkdir(logs.c_str(), 0700), 0);
    ASSERT_EQ(mkdir(elsewhere.c_str(), 0700), 0);
    const auto sink = make_file_sink(logs + "/events");
    ASSERT_EQ(rename(logs.c_str(), (logs + ".1").c_str()), 0);
    ASSERT_EQ(symlink(elsewhere.c_str(), logs.c_str()), 0);
    EXPECT_FALSE(sink->reopen());
    EXPECT_NE(access((elsewhere + "/events").c_str(), F_OK), 0);
}

TEST(FileSink, ReopensWhatASymbolicLinkLedToAtFirst) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events", disk = folder.path() + "/disk";
    ASSERT_EQ(mkdir(disk.c_str(), 0700), 0);
    ASSERT_EQ(symlink("disk/events", path.c_str()), 0);
    const auto sink = make_file_sink(path);
    sink->write("old\n", 1);
    ASSERT_EQ(rename((disk + "/events").c_str(), (disk + "/events.1").c_str()), 0);
    EXPECT_TRUE(sink->reopen()) << sink->error();
    sink->write("new\n", 1);
    sink->finish();
    EXPECT_EQ(contents(path), "new\n");
    EXPECT_EQ(contents(disk + "/events.1"), "old\n");
}

TEST(FileSink, SaysWhyItCannotOpen) {
    const TemporaryFolder folder;
    const std::string fifo = folder.path() + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const std::pair<std::string, std::string> cases[] = {
        {folder.path(), "Is a directory"},
        {folder.path() + "/none/events", "No such file or directory"},
        {fifo, "Start the reader of this FIFO"}, // and must not wait for it
    };
    for (const auto& [path, reason] : cases) {
        try {
            make_file_sink(path);
            FAIL() << path;
        } catch (const ebpf_loader::Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path));
            EXPECT_THAT(error.what(), HasSubstr(reason));
        }
    }
}

/// A limit on the size of files fails in the middle of a line, as a full disk does.
TEST(FileSink, ALineThatDoesNotFitIsTakenBack) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/events";
    const std::string report = in_child([&] {
        const rlimit limit = {10'000, 10'000};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            return std::string("setrlimit");
        const auto sink = make_file_sink(path, small());
        write_lines(*sink, 0, 1000);
        sink->finish(); // must not die of SIGXFSZ
        return std::to_string(sink->lost()) + (sink->broken() ? " broken " : " ") +
               std::string(sink->error());
    });
    const std::string got = contents(path);
    EXPECT_GT(got.size(), 9'500U);
    const uint64_t whole = expect_whole_lines(got);
    EXPECT_EQ(report, std::to_string(1000 - whole) + " " + path + ": File too large");
}

TEST(FileSink, AFullDiskIsCountedAndOutlived) {
    const TemporaryFolder folder;
    const std::string report = in_child([&] {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
            return std::string("skip");
        const std::string filler = folder.path() + "/filler";
        std::ofstream(filler) << std::string(20'000, 'f');
        const std::string path = folder.path() + "/events";
        const auto sink = make_file_sink(path, small());
        write_lines(*sink, 0, 2000);
        sink->flush();
        std::ostringstream out;
        const std::string full = contents(path);
        out << (sink->lost() > 0) << (full.empty() || full.back() == '\n') << sink->broken() << ' ';
        out << sink->error() << ' ';
        unlink(filler.c_str()); // there is room again
        sink->flush();
        write_lines(*sink, 2000, 2010);
        sink->finish();
        const std::string got = contents(path);
        const uint64_t whole = expect_whole_lines(got);
        out << (testing::Test::HasFailure() ? "cut" : "whole") << ' ';
        out << (whole + sink->lost() == 2010 ? "balanced" : "not balanced") << ' ';
        out << (got.ends_with(numbered_line(2009)) ? "goes on" : "stuck");
        return out.str();
    });
    if (report == "skip")
        GTEST_SKIP() << "FileSink.AFullDiskIsCountedAndOutlived: cannot mount a tmpfs here";
    EXPECT_EQ(report, "110 " + folder.path() + "/events: No space left on device whole balanced goes on");
}
