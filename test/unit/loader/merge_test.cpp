// SPDX-License-Identifier: MIT
#include "loader/src/read/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace ebpf_loader;

namespace {

/// Records of one buffer: a header whose sequence says which one it is.
class Buffer {
  public:
    void put(uint64_t time, uint64_t name) {
        ebt_header header{};
        header.time = time;
        header.sequence = name;
        records_.push_back(header);
    }
    std::span<const std::byte> next() {
        if (taken_ == records_.size())
            return {};
        return std::as_bytes(std::span(&records_[taken_], 1));
    }
    void take_record() { taken_++; }
    void give_back() { given_ = taken_; }
    size_t given() const { return given_; }
    size_t size() const { return records_.size(); }

  private:
    std::vector<ebt_header> records_;
    size_t taken_ = 0, given_ = 0;
};

/// The names of the records that are handed over.
std::vector<uint64_t> drain(Merge<Buffer>& merge, std::vector<Buffer>& buffers, uint64_t until) {
    std::vector<uint64_t> names;
    merge.clear();
    for (Buffer& buffer : buffers)
        merge.add(buffer);
    const size_t records = merge.drain(
        [&](std::span<const std::byte> bytes) {
            ebt_header header;
            memcpy(&header, bytes.data(), sizeof(header));
            names.push_back(header.sequence);
        },
        until);
    EXPECT_EQ(records, names.size());
    return names;
}

TEST(Merge, HandsOverInTheOrderOfTime) {
    Merge<Buffer> merge;
    std::vector<Buffer> buffers(3);
    EXPECT_TRUE(drain(merge, buffers, UINT64_MAX).empty());
    buffers[0].put(10, 1);
    buffers[0].put(40, 4);
    buffers[2].put(20, 2);
    buffers[2].put(30, 3);
    EXPECT_EQ(drain(merge, buffers, UINT64_MAX), (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST(Merge, LeavesWhatIsTooYoung) {
    Merge<Buffer> merge;
    std::vector<Buffer> buffers(2);
    buffers[0].put(10, 1);
    buffers[0].put(30, 3);
    buffers[1].put(20, 2);
    EXPECT_EQ(drain(merge, buffers, 20), (std::vector<uint64_t>{1}));
    EXPECT_EQ(buffers[0].given(), 1u) << "what was taken has room for others";
    EXPECT_EQ(drain(merge, buffers, 31), (std::vector<uint64_t>{2, 3}));
}

/// A buffer's own order is kept, even where its times are not in order: they are taken before a record has
/// its place.
TEST(Merge, KeepsTheOrderOfABuffer) {
    Merge<Buffer> merge;
    std::vector<Buffer> buffers(2);
    buffers[0].put(20, 1);
    buffers[0].put(10, 2);
    buffers[1].put(15, 3);
    EXPECT_EQ(drain(merge, buffers, UINT64_MAX), (std::vector<uint64_t>{3, 1, 2}));
}

TEST(Merge, OfTheSameTimeTheFirstBufferComesFirst) {
    for (size_t count : {2, 3, 7, 32}) {
        Merge<Buffer> merge;
        std::vector<Buffer> buffers(count);
        std::vector<uint64_t> names;
        for (size_t i = 0; i < count; i++) {
            buffers[i].put(5, i);
            names.push_back(i);
        }
        EXPECT_EQ(drain(merge, buffers, UINT64_MAX), names);
    }
}

TEST(Merge, AnyNumberOfBuffers) {
    std::mt19937 random(1);
    for (size_t count = 1; count < 40; count++) {
        Merge<Buffer> merge;
        std::vector<Buffer> buffers(count);
        std::vector<uint64_t> times;
        for (uint64_t time = 0; time < 500; time++) {
            buffers[random() % count].put(time, time);
            times.push_back(time);
        }
        std::vector<uint64_t> names = drain(merge, buffers, 250);
        EXPECT_EQ(names.size(), 250u);
        const std::vector<uint64_t> rest = drain(merge, buffers, UINT64_MAX);
        names.insert(names.end(), rest.begin(), rest.end());
        EXPECT_EQ(names, times) << count << " buffers";
        for (const Buffer& buffer : buffers)
            EXPECT_EQ(buffer.given(), buffer.size());
    }
}

} // namespace
