// SPDX-License-Identifier: MIT
#include "loader/src/load/buffers/buffer_sizes.hpp"
#include "telemetry/app/advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ebpf_loader/error.hpp>

using namespace ebpf_loader;
using testing::HasSubstr;

namespace {

constexpr size_t mib = 1 << 20;

EngineOptions asked(size_t buffer, size_t limit = 0, size_t others = 0) {
    EngineOptions options;
    options.buffer_bytes = buffer;
    options.max_memory = limit;
    options.other_memory = others;
    return options;
}

std::string refusal(const BufferSizes& sizes, bool uses_ring) {
    try {
        sizes.memory(uses_ring);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::resources);
        return telemetry::with_advice(error);
    }
    ADD_FAILURE() << "not refused";
    return {};
}

TEST(BufferSizes, AreAsLargeAsAskedFor) {
    const BufferSizes usual(asked(0), 4);
    EXPECT_EQ(usual.rings().bytes, 16 * mib);
    EXPECT_EQ(usual.perf(), 4 * mib);
    EXPECT_EQ(usual.vital_perf(), mib);
    EXPECT_EQ(BufferSizes(asked(0), 64).perf(), mib) << "of all CPUs together 64 MiB";
    const BufferSizes odd(asked(3 * mib), 4);
    EXPECT_EQ(odd.rings().bytes, 4 * mib);
    EXPECT_EQ(odd.perf(), 2 * mib);
    EXPECT_EQ(BufferSizes(asked(1), 4).rings().bytes, least_buffer_bytes);
    EXPECT_EQ(BufferSizes(asked(size_t{1} << 40), 4).rings().bytes, 1024 * mib);
    EXPECT_GT(usual.memory(true), 32 * mib) << "no limit; mapped twice";
    EXPECT_GT(usual.memory(false), 20 * mib);
}

TEST(BufferSizes, ManyCpusHaveSeveralRings) {
    EXPECT_EQ(BufferSizes(asked(0), 0).rings().count, 1u);
    EXPECT_EQ(BufferSizes(asked(0), 8).rings().count, 1u);
    const BufferSizes nine(asked(0), 9);
    EXPECT_EQ(nine.rings().count, 2u);
    EXPECT_EQ(nine.rings().cpus_each, 8u);
    EXPECT_EQ(nine.rings().bytes, 16 * mib);
    EXPECT_GT(nine.memory(true), 64 * mib);
    EXPECT_EQ(BufferSizes(asked(0), 40).rings().count, 8u) << "a power of two";
    EXPECT_EQ(BufferSizes(asked(0), 256).rings().count, 32u);
    EXPECT_EQ(BufferSizes(asked(0), 256).rings().bytes, 2 * mib) << "of all together 64 MiB";
    EXPECT_EQ(BufferSizes(asked(4 * mib), 256).rings().bytes, 4 * mib) << "as asked for";
    EXPECT_LE(BufferSizes(asked(0, 60 * mib, 20 * mib), 256).memory(true), 40 * mib);
    EngineOptions each;
    each.cpus_per_ring = 1;
    EXPECT_EQ(BufferSizes(each, 3).rings().count, 4u);
    for (const size_t wrong : {0, 3, 12}) {
        each.cpus_per_ring = wrong;
        EXPECT_THROW(BufferSizes(each, 4), Error) << wrong;
    }
}

TEST(BufferSizes, ShrinkUntilTheyFit) {
    for (size_t limit = 24; limit <= 200; limit++) {
        const BufferSizes sizes(asked(0, limit * mib, 20 * mib), 4);
        EXPECT_LE(sizes.memory(true), (limit - 20) * mib);
        EXPECT_LE(sizes.memory(false), (limit - 20) * mib);
        EXPECT_TRUE(sizes.rings().bytes == 16 * mib || sizes.memory(true) * 2 > (limit - 20) * mib) << limit;
    }
}

TEST(BufferSizes, OfWhichNoneFitAreRefused) {
    const BufferSizes small(asked(0, 10 * mib, 20 * mib), 4);
    EXPECT_THAT(refusal(small, true), HasSubstr("set it to 21 or more"));
    EXPECT_THAT(refusal(small, false), HasSubstr("set it to 22 or more"));
    const BufferSizes large(asked(16 * mib, 30 * mib, 20 * mib), 4);
    EXPECT_THAT(refusal(large, true),
                HasSubstr("set it to 53 or more, or to 21 or more with a smaller --buffer-size"));
    EXPECT_EQ(BufferSizes(asked(16 * mib, 53 * mib, 20 * mib), 4).rings().bytes, 16 * mib);
    EXPECT_NO_THROW(BufferSizes(asked(16 * mib, 53 * mib, 20 * mib), 4).memory(true));
    EXPECT_NO_THROW(BufferSizes(asked(0, 21 * mib, 20 * mib), 4).memory(true));
}

} // namespace
