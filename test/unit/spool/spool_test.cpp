// SPDX-License-Identifier: MIT
#include "telemetry/spool/spool.hpp"

#include <ebpf_loader/error.hpp>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "telemetry/spool/dump.hpp"
#include "telemetry/spool/record.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

std::string line_of(int number) {
    return "{\"n\":" + std::to_string(number) + "," + std::string(static_cast<size_t>(number % 7), 'x') +
           "}\n";
}

struct SpoolTest : testing::Test {
    void open(size_t bytes = 1 << 20) { spool.emplace(SpoolOptions{path, bytes, 4096}); }
    Spool::Refused append(int count, bool is_vital = false) {
        Batch batch;
        for (int i = 0; i < count; ++i)
            batch.put(line_of(next++), is_vital, true);
        return spool->append(batch);
    }
    /// All that can be read now.
    std::string read(size_t bytes = 4096) {
        std::string all;
        for (;;) {
            const Spool::Portion portion = spool->read(bytes, 1000, 0ms);
            if (portion.batch.empty())
                return all;
            all += portion.batch.bytes;
        }
    }
    /// As after kill -9: nothing is put right or written down.
    void crash() {
        copy = std::make_unique<TemporaryFolder>();
        for (const auto& file : std::filesystem::directory_iterator(path))
            std::filesystem::copy(file, copy->path());
        spool.reset();
        std::filesystem::remove_all(path);
        std::filesystem::copy(copy->path(), path);
        chmod(path.c_str(), 0700);
    }
    std::vector<std::string> segments() const {
        std::vector<std::string> names;
        for (const auto& file : std::filesystem::directory_iterator(path))
            if (file.path().extension() == ".seg")
                names.push_back(file.path());
        std::ranges::sort(names);
        return names;
    }
    static std::string lines(int from, int to) {
        std::string all;
        for (int i = from; i < to; ++i)
            all += line_of(i);
        return all;
    }

    TemporaryFolder folder;
    std::unique_ptr<TemporaryFolder> copy;
    std::string path = folder.path() + "/a/b";
    std::optional<Spool> spool;
    int next = 0;
};

TEST_F(SpoolTest, GivesBackWhatItGotInOrder) {
    open();
    append(10);
    EXPECT_EQ(read(50), lines(0, 10));
    append(5);
    EXPECT_EQ(read(), lines(10, 15));
    spool->acknowledge();
    EXPECT_EQ(spool->state().items, 0U);
    spool.reset();
    EXPECT_TRUE(segments().empty()) << "all was acknowledged";
}

TEST_F(SpoolTest, IsForItsOwnerAlone) {
    open();
    append(1);
    struct stat status {};
    stat(path.c_str(), &status);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    stat(segments().at(0).c_str(), &status);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    EXPECT_THROW(Spool({path, 1 << 20, 0}), ebpf_loader::Error) << "another one has it";
    spool.reset();
    chmod(path.c_str(), 0755);
    EXPECT_THROW(open(), ebpf_loader::Error);
}

TEST_F(SpoolTest, GoesOnAfterACrash) {
    open();
    append(10);
    EXPECT_EQ(spool->read(1 << 20, 4, 0ms).batch.bytes, lines(0, 4));
    spool->acknowledge();
    spool->sync(); // what is acknowledged is written down each second
    EXPECT_EQ(spool->read(1 << 20, 3, 0ms).batch.bytes, lines(4, 7));
    crash();
    open();
    EXPECT_EQ(spool->found().events, 6U);
    EXPECT_EQ(spool->found().damaged, 0U);
    append(2);
    EXPECT_EQ(read(), lines(4, 12)) << "what was not acknowledged comes again";
    spool->acknowledge();
    spool.reset();
    open();
    EXPECT_EQ(spool->found().events, 0U);
    append(1);
    EXPECT_EQ(read(), lines(12, 13));
}

TEST_F(SpoolTest, ReadsManySegments) {
    open(16 << 20);
    for (int i = 0; i < 300; ++i)
        append(1000);
    EXPECT_GT(segments().size(), 3U);
    EXPECT_EQ(read(1 << 20), lines(0, 300'000));
    spool->acknowledge();
    EXPECT_LE(segments().size(), 1U);
    EXPECT_LE(spool->state().bytes, 1U << 20);
}

TEST_F(SpoolTest, IsBoundedAndKeepsRoomForVitalEvents) {
    open(64 << 10);
    uint64_t refused = 0;
    for (int i = 0; i < 3000; ++i)
        refused += append(1).full;
    EXPECT_GT(refused, 500U);
    EXPECT_EQ(append(1).full, 1U);
    EXPECT_EQ(append(1, true).full, 0U);
    uint64_t vital = 0;
    for (int i = 0; i < 1000; ++i)
        vital += append(1, true).full;
    EXPECT_GT(vital, 500U);
    EXPECT_LE(spool->state().bytes, 64U << 10);
    uint64_t files = 0;
    for (const std::string& segment : segments())
        files += std::filesystem::file_size(segment);
    EXPECT_EQ(files, spool->state().bytes);
}

/// Six lines in one segment, each of them also known by its bytes.
struct DamagedSpool : SpoolTest {
    static constexpr int count = 6;
    DamagedSpool() {
        open();
        append(count);
        spool->sync();
        spool.reset();
        name = segments().at(0);
        std::ifstream in(name, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
        std::string text;
        for (int i = 0; i < count; ++i) {
            put_spool_record(text, {static_cast<uint64_t>(i + 1), false, true, line_of(i)});
            ends.push_back(text.size());
        }
    }
    void put(const std::string& bytes) {
        for (const std::string& old : segments())
            unlink(old.c_str());
        std::ofstream(name, std::ios::binary) << bytes;
        chmod(name.c_str(), 0600);
    }

    std::string name, whole;
    std::vector<size_t> ends; ///< of the records
};

TEST_F(DamagedSpool, IsRepairedWhereverItWasCut) {
    ASSERT_EQ(whole.size(), ends.back());
    for (size_t cut = 0; cut <= whole.size(); ++cut) {
        put(whole.substr(0, cut));
        const auto kept =
            static_cast<int>(std::ranges::count_if(ends, [&](size_t end) { return end <= cut; }));
        const bool is_torn = cut != 0 && std::ranges::count(ends, cut) == 0;
        open();
        EXPECT_EQ(spool->found().events, static_cast<uint64_t>(kept)) << cut;
        EXPECT_EQ(spool->found().damaged, is_torn ? 1U : 0U) << cut;
        next = 100;
        append(1);
        EXPECT_EQ(read(), lines(0, kept) + line_of(100)) << cut;
        spool->acknowledge();
        EXPECT_EQ(spool->take_damaged(), 0U);
        spool.reset();
        EXPECT_TRUE(segments().empty()) << cut;
        unlink((path + "/acknowledged").c_str());
    }
}

TEST_F(DamagedSpool, LosesOnlyTheRecordThatIsDamaged) {
    for (size_t at = 0; at < whole.size(); ++at)
        for (const int change : {0x01, 0x80, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            put(bytes);
            const auto hit =
                static_cast<int>(std::ranges::count_if(ends, [&](size_t end) { return end <= at; }));
            open();
            EXPECT_EQ(spool->found().events, count - 1U) << at;
            EXPECT_EQ(spool->found().damaged, 1U) << at;
            EXPECT_EQ(read(), lines(0, hit) + lines(hit + 1, count)) << at;
            spool->acknowledge();
            spool.reset();
            unlink((path + "/acknowledged").c_str());
        }
}

TEST_F(DamagedSpool, DamageThatComesLaterIsCountedToo) {
    put(whole);
    open();
    EXPECT_EQ(spool->found().events, 6U);
    std::string bytes = whole;
    bytes[ends[3] + SpoolRecord::header_bytes] ^= 1;
    std::ofstream(name, std::ios::binary) << bytes;
    EXPECT_EQ(read(), lines(0, 4) + lines(5, count));
    EXPECT_EQ(spool->take_damaged(), 1U);
    EXPECT_EQ(spool->take_damaged(), 0U);
}

TEST_F(DamagedSpool, AWrongNumberIsNotBelieved) {
    put(whole);
    std::ofstream(path + "/acknowledged") << "ffffffffffffffff0000000000000000\n";
    open();
    EXPECT_EQ(read(), lines(0, count));
}

struct SpoolOfSegments : SpoolTest {
    static constexpr uint64_t count = 6000;
    /// Leaves so many events behind. Returns the names of the segments, three at least.
    std::vector<std::string> fill() {
        open(1 << 20);
        for (uint64_t i = 0; i < count; i += 200)
            append(200);
        spool.reset();
        auto names = segments();
        EXPECT_GE(names.size(), 3U);
        return names;
    }
    static uint64_t records_of(const std::string& name) {
        std::ifstream in(name, std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        uint64_t records = 0;
        for (SpoolReader reader(bytes); reader.next();)
            ++records;
        return records;
    }
};

TEST_F(SpoolOfSegments, AMissingOneIsCounted) {
    const std::string second = fill().at(1);
    const uint64_t records = records_of(second);
    unlink(second.c_str());
    open(1 << 20);
    EXPECT_EQ(spool->found().damaged, records);
    EXPECT_EQ(spool->found().events, count - records);
}

/// It may be readable another day.
TEST_F(SpoolOfSegments, OneThatCannotBeReadStaysAndIsCounted) {
    for (const size_t which : {0, 1, -1}) {
        spool.reset();
        std::filesystem::remove_all(path);
        const auto names = fill();
        const bool is_last = which >= names.size();
        const std::string name = is_last ? names.back() : names[which];
        const uint64_t records = records_of(name);
        unlink(name.c_str());
        ASSERT_EQ(mkdir(name.c_str(), 0700), 0); // what can be opened and not read
        open(1 << 20);
        EXPECT_EQ(spool->found().damaged, is_last ? 1 : records)
            << "of the last nobody knows how many it had";
        EXPECT_EQ(spool->found().events, count - records);
        EXPECT_THAT(spool->state().error, HasSubstr("cannot read"));
        read();
        spool->acknowledge();
        EXPECT_TRUE(std::filesystem::is_directory(name));
        EXPECT_EQ(append(1).disk, 0U) << "what follows has other numbers";
        read();
        EXPECT_EQ(spool->take_damaged(), 0U);
    }
}

TEST_F(SpoolTest, AFullDiskMeansMemoryThenCountedLoss) {
    if (geteuid() != 0 || mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
        GTEST_SKIP() << "only root may mount a small file system";
    open(1 << 20);
    uint64_t lost = 0;
    int put = 0;
    for (; lost == 0 && put < 20'000; put += 10)
        lost += append(10).disk;
    EXPECT_GT(lost, 0U);
    EXPECT_GT(put, 500);
    EXPECT_THAT(spool->state().error, HasSubstr("No space left"));
    std::string all = read();
    spool->acknowledge();
    std::set<std::string> unique;
    std::istringstream stream(all);
    size_t count = 0;
    for (std::string line; std::getline(stream, line); ++count)
        unique.insert(line);
    EXPECT_EQ(unique.size(), static_cast<size_t>(put) - lost) << "each is there or counted";
    EXPECT_EQ(unique.size(), count);
    next = 0;
    EXPECT_EQ(append(10).disk, 0U) << "it takes events again";
    EXPECT_EQ(read(), lines(0, 10));
    EXPECT_EQ(spool->state().error, "");
    spool.reset();
    umount2(folder.path().c_str(), MNT_DETACH);
}

TEST_F(SpoolTest, WaitsForTheFirstEvent) {
    open();
    EXPECT_TRUE(spool->read(100, 100, 1ms).batch.empty());
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        append(1);
    });
    EXPECT_EQ(spool->read(100, 100, 10s).batch.bytes, lines(0, 1));
    other.join();
    spool->wake();
    EXPECT_TRUE(spool->read(100, 100, 10s).batch.empty());
}

TEST_F(SpoolTest, ItsContentsCanBeShown) {
    open();
    append(10);
    spool->read(1 << 20, 4, 0ms);
    spool->acknowledge();
    spool->sync();
    std::ostringstream out;
    EXPECT_EQ(
        dump_spool(path, out),
        "6 records to be delivered in 1 segments, 4 delivered, 0 bytes damaged"); // while it is in use, too
    EXPECT_EQ(out.str(), lines(4, 10));
    EXPECT_THROW(dump_spool(path + "/none", out), ebpf_loader::Error);
}

TEST_F(SpoolTest, LinesAreSetAsideWithinBounds) {
    open();
    for (int i = 0; i < 100; ++i)
        spool->put_aside(std::string(50'000, 'x') + "\n");
    EXPECT_LE(std::filesystem::file_size(path + "/rejected"), 1100U << 10);
    EXPECT_LE(std::filesystem::file_size(path + "/rejected.old"), 1100U << 10);
}

} // namespace
