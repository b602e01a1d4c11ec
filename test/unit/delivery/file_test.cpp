// SPDX-License-Identifier: MIT
// Configured files: rotation, compression, and whose they are.
#include <array>
#include <cstdio>
#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>
#include <memory>
#include <sys/mount.h>
#include <sys/stat.h>

#include "telemetry/delivery/file/rotation.hpp"
#include "telemetry/delivery/output.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::HasSubstr;

namespace {

std::string output_of(const std::string& command) {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string all;
    std::array<char, 4096> bytes;
    while (const size_t count = fread(bytes.data(), 1, bytes.size(), pipe.get()))
        all.append(bytes.data(), count);
    return all;
}

struct ConfiguredFile : testing::Test {
    void start(const std::string& options) {
        auto outputs = parse_outputs("[output.f]\nkind = file\npath = " + path + "\n" + options, "f");
        output = std::make_unique<DeliveryOutput>(outputs.at(0));
    }
    void put(int count) {
        for (int i = 0; i < count; ++i)
            output->put(numbered_line(next++), false, true);
        output->hand_over();
    }
    /// All of it is with the file.
    void drain() { output->drain(); }
    DeliveryReport end() {
        output->close();
        return *output->report().delivery;
    }
    bool exists(const std::string& suffix) const { return access((path + suffix).c_str(), F_OK) == 0; }
    struct stat status() const {
        struct stat status {};
        stat(path.c_str(), &status);
        return status;
    }

    TemporaryFolder folder;
    std::string path = folder.path() + "/events.json";
    std::unique_ptr<DeliveryOutput> output;
    int next = 0;
};

TEST_F(ConfiguredFile, TakesEverything) {
    start("");
    put(5000);
    const DeliveryReport report = end();
    EXPECT_EQ(report.offered, 5000U);
    EXPECT_EQ(report.delivered, 5000U);
    EXPECT_EQ(report.waiting, 0U);
    EXPECT_TRUE(report.lost.empty());
    EXPECT_EQ(expect_whole_lines(contents(path)), 5000U);
    EXPECT_EQ(output->report().name, "file f");
    EXPECT_EQ(output->report().cause, "output_f");
}

TEST_F(ConfiguredFile, IsTheOwnersAloneUnlessTheModeSaysOtherwise) {
    start("");
    EXPECT_EQ(status().st_mode & 07777, 0600U);
    end();
    unlink(path.c_str());
    const mode_t before = umask(0077);
    start("mode = 0640\n" + std::string(geteuid() == 0 ? "owner = 65534\ngroup = adm\n" : ""));
    umask(before);
    EXPECT_EQ(status().st_mode & 07777, 0640U) << "whatever the umask";
    if (geteuid() == 0) {
        EXPECT_EQ(status().st_uid, 65534U);
        EXPECT_EQ(status().st_gid, 4U);
    }
    end();
}

TEST_F(ConfiguredFile, IsNeitherALinkNorADevice) {
    const std::string other = folder.path() + "/other";
    std::ofstream(other) << "";
    ASSERT_EQ(symlink(other.c_str(), path.c_str()), 0);
    EXPECT_THROW(start(""), ebpf_loader::Error);
    unlink(path.c_str());
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_THROW(start(""), ebpf_loader::Error);
    EXPECT_EQ(contents(other), "");
}

TEST_F(ConfiguredFile, WhatAKillHasCutIsALineOfItsOwn) {
    std::ofstream(path) << "{\"cut";
    start("");
    put(100);
    EXPECT_EQ(end().delivered, 100U);
    const std::string text = contents(path);
    ASSERT_TRUE(text.starts_with("{\"cut\n")) << text.substr(0, 100);
    EXPECT_EQ(expect_whole_lines(text.substr(text.find('\n') + 1)), 100U);
}

TEST_F(ConfiguredFile, IsRotatedBySize) {
    start("rotate_size = 8K\nkeep = 3\n");
    for (int i = 0; i < 60; ++i) {
        put(10); // about 1 KiB
        drain();
    }
    EXPECT_EQ(end().delivered, 600U);
    EXPECT_TRUE(exists(".1") && exists(".2") && exists(".3"));
    EXPECT_FALSE(exists(".4"));
    std::string all;
    for (const char* suffix : {".3", ".2", ".1", ""}) {
        EXPECT_LE(contents(path + suffix).size(), 8192U);
        all += contents(path + suffix);
    }
    EXPECT_GT(expect_whole_lines(all), 200U);
    EXPECT_THAT(all, testing::EndsWith(numbered_line(599)));
}

TEST_F(ConfiguredFile, OldOnesAreCompressedFromTheSecondOn) {
    for (const char* coding : {"gzip", "zstd"}) {
        const std::string suffix = std::string(coding) == "gzip" ? ".gz" : ".zst";
        start("rotate_size = 8K\nkeep = 4\nmode = 0640\ncompress = " + std::string(coding) + "\n");
        const int first = next;
        for (int i = 0; i < 40; ++i) {
            put(10);
            drain();
        }
        EXPECT_EQ(end().delivered, 400U);
        output.reset();
        start("compress = " + std::string(coding) +
              "\nkeep = 4\n"); // what is left is compressed at the next start
        ASSERT_TRUE(eventually([&] { return !exists(".2"); }));
        output.reset();
        EXPECT_TRUE(exists(".1"));
        std::string all;
        for (const char* number : {".4", ".3", ".2"}) {
            EXPECT_TRUE(exists(number + suffix)) << number << suffix;
            EXPECT_FALSE(exists(number));
            EXPECT_FALSE(exists(number + suffix + ".part"));
            all += output_of((suffix == ".gz" ? "gzip -dc " : "zstd -qdc ") + path + number + suffix);
        }
        struct stat old {};
        stat((path + ".2" + suffix).c_str(), &old);
        EXPECT_EQ(old.st_mode & 07777, 0640U);
        EXPECT_GT(expect_whole_lines(all + contents(path + ".1") + contents(path)), 250U) << first;
        for (const char* number : {"", ".1", ".2", ".3", ".4"}) {
            unlink((path + number).c_str());
            unlink((path + number + suffix).c_str());
        }
    }
}

TEST_F(ConfiguredFile, IsRotatedByAge) {
    start("rotate_every = 1s\n");
    put(1);
    drain();
    EXPECT_FALSE(exists(".1"));
    ASSERT_TRUE(eventually([&] { return exists(".1"); })) << "without another event";
    put(1);
    EXPECT_EQ(end().delivered, 2U);
    EXPECT_EQ(contents(path + ".1"), numbered_line(0));
    EXPECT_EQ(contents(path), numbered_line(1));
}

TEST_F(ConfiguredFile, KeepsNone) {
    start("rotate_size = 4K\nkeep = 0\n");
    for (int i = 0; i < 20; ++i) {
        put(10);
        drain();
    }
    EXPECT_EQ(end().delivered, 200U);
    EXPECT_FALSE(exists(".1"));
    EXPECT_LE(contents(path).size(), 4096U);
}

TEST_F(ConfiguredFile, IsOpenedAnewForLogrotate) {
    start("");
    put(3);
    drain();
    ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
    output->reopen();
    ASSERT_TRUE(eventually([&] { return exists(""); }));
    put(2);
    EXPECT_EQ(end().delivered, 5U);
    EXPECT_EQ(expect_whole_lines(contents(path + ".old")), 3U);
    EXPECT_EQ(contents(path), numbered_line(3) + numbered_line(4));
}

TEST_F(ConfiguredFile, GoesOnWithTheOldOneWhenItCannotBeOpenedAnew) {
    start("");
    put(1);
    drain();
    ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
    ASSERT_EQ(symlink("/dev/null", path.c_str()), 0);
    output->reopen();
    ASSERT_TRUE(eventually([&] { return !std::string(output->report().error).empty(); }));
    EXPECT_THAT(std::string(output->report().error), HasSubstr("symbolic link"));
    put(2);
    EXPECT_EQ(end().delivered, 3U);
    EXPECT_EQ(expect_whole_lines(contents(path + ".old")), 3U);
}

TEST_F(ConfiguredFile, AFullDiskIsCounted) {
    if (geteuid() != 0 || mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
        GTEST_SKIP() << "only root may mount a small file system";
    start("");
    put(20'000); // 2 MB: 64 KiB are written, a MiB waits
    drain();
    EXPECT_THAT(std::string(output->report().error), HasSubstr("No space left"));
    const DeliveryReport report = end();
    EXPECT_EQ(report.offered, 20'000U);
    uint64_t lost = 0;
    for (const auto& [cause, count] : report.lost)
        lost += count;
    EXPECT_EQ(report.delivered + lost, 20'000U);
    EXPECT_EQ(report.delivered, expect_whole_lines(contents(path)));
    EXPECT_GT(report.delivered, 100U);
    output.reset();
    umount2(folder.path().c_str(), MNT_DETACH);
}

TEST_F(ConfiguredFile, ReportsAreWrittenAndNotCounted) {
    start("");
    output->put("a loss\n", true, false);
    put(1);
    const DeliveryReport report = end();
    EXPECT_EQ(report.offered, 1U);
    EXPECT_EQ(report.delivered, 1U);
    EXPECT_EQ(contents(path), "a loss\n" + numbered_line(0));
}

/// For a file that cannot be renamed none of the old ones is given up.
TEST_F(ConfiguredFile, OldFilesStayWhereTheNewestCannotBeRenamed) {
    std::ofstream(path + ".1") << "one";
    std::ofstream(path + ".2") << "two";
    OldFiles old(path, 2, Coding::none);
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(old.shift()) << "it is not there";
    EXPECT_EQ(contents(path + ".1"), "one");
    EXPECT_EQ(contents(path + ".2"), "two");
}

/// Compression goes on by the file's new number, and ends when it is to go.
TEST_F(ConfiguredFile, AFileIsRotatedOnWhileItIsCompressed) {
    std::string large(3 << 20, '\0');
    uint32_t value = 1;
    for (char& byte : large)
        byte = static_cast<char>((value = value * 1664525 + 1013904223) >> 24);
    std::ofstream(path + ".2") << large;
    OldFiles old(path, 4, Coding::gzip);
    ASSERT_TRUE(old.compress_some());
    std::ofstream(path) << "a";
    ASSERT_TRUE(old.shift());
    while (old.compress_some()) {
    }
    EXPECT_FALSE(exists(".3") || exists(".2.gz.part"));
    EXPECT_EQ(output_of("gzip -dc " + path + ".3.gz"), large);

    std::ofstream(path + ".2") << large;
    old.look_for_work();
    ASSERT_TRUE(old.compress_some());
    for (int i = 0; i < 3; ++i) {
        std::ofstream(path) << "b";
        ASSERT_TRUE(old.shift());
    }
    EXPECT_FALSE(exists(".2.gz.part"));
    while (old.compress_some()) {
    }
    for (const char* number : {".2", ".3", ".4"})
        EXPECT_EQ(output_of("gzip -dc " + path + number + ".gz").size(), 1U) << number;
}

TEST_F(ConfiguredFile, ARotationThatWasCutShortIsFinished) {
    std::ofstream(path) << "now";
    std::ofstream(path + ".0") << "cut short";
    std::ofstream(path + ".1") << "one";
    OldFiles old(path, 3, Coding::none);
    EXPECT_TRUE(old.shift());
    EXPECT_FALSE(exists("") || exists(".0"));
    EXPECT_EQ(contents(path + ".1"), "now");
    EXPECT_EQ(contents(path + ".2"), "cut short");
    EXPECT_EQ(contents(path + ".3"), "one");
}

} // namespace
