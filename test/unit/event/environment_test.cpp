// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "telemetry/event/environment.hpp"
#include "test/unit/event/decoder_support.hpp"

namespace {

using namespace telemetry;
using namespace std::string_literals;
using decoder_test::executed;

struct Reduced {
    Reduced(const EnvironmentNames& names, std::string_view bytes, Status status = Status::ok) {
        list.bytes = bytes;
        list.status = status;
        names.reduce(list, buffer);
    }
    EnvironmentNames::Buffer buffer;
    StringList list;
};

const EnvironmentNames preload({"LD_PRELOAD", "PATH"});

TEST(Environment, HasTheVariablesAskedForInTheirOrder) {
    const Reduced some(
        preload, "HOME=/\0PATH=/bin:/=\0LD_PRELOAD=a\0LD_PRELOADED=b\0LD_PRELOAD\0=c\0\0LD_PRELOAD=\0"s);
    EXPECT_EQ(some.list.bytes, "PATH=/bin:/=\0LD_PRELOAD=a\0LD_PRELOAD=\0"s);
    EXPECT_EQ(some.list.count, 3u);
    EXPECT_EQ(some.list.status, Status::ok);
    EXPECT_EQ(Reduced(preload, "PATH=/bin").list.bytes, "PATH=/bin\0"s); // its NUL written over
    EXPECT_EQ(Reduced(preload, "").list.bytes, "");
    EXPECT_EQ(Reduced(EnvironmentNames(), "PATH=/bin\0"s).list.bytes, "");
}

TEST(Environment, MarksWhatIsCut) {
    const std::string longest = "PATH=" + std::string(EnvironmentNames::longest_value, 'x');
    EXPECT_EQ(Reduced(preload, longest + '\0').list.status, Status::ok);
    const Reduced longer(preload, longest + "y\0"s);
    EXPECT_EQ(longer.list.bytes, longest + '\0');
    EXPECT_EQ(longer.list.status, Status::truncated);
    EXPECT_TRUE(longer.list.length_is_minimum);

    std::string many;
    for (int i = 0; i < 10; ++i)
        many += longest + '\0';
    const Reduced full(preload, many);
    EXPECT_EQ(full.list.count, 7u);
    EXPECT_LE(full.list.bytes.size(), EnvironmentNames::most_bytes);
    EXPECT_EQ(full.list.status, Status::truncated);

    // What is not there may have been behind what was read.
    const Reduced cut(preload, "HOME=/\0"s, Status::truncated);
    EXPECT_EQ(cut.list.bytes, "");
    EXPECT_EQ(cut.list.status, Status::truncated);
    EXPECT_EQ(Reduced(preload, "", Status::fault).list.status, Status::fault);
}

TEST(Environment, IsDecodedWhereAskedFor) {
    RecordBuilder builder = executed();
    builder.field(EBT_FIELD_ENVIRONMENT, RecordBuilder::list({"HOME=/", "PATH=/bin"}));
    const std::vector<std::byte> bytes = builder.bytes();
    Decoder decoder;
    Event event;
    ASSERT_TRUE(decoder.decode(bytes, event));
    EXPECT_EQ(event.image.environment.status, Status::absent);
    decoder.select_environment(preload);
    ASSERT_TRUE(decoder.decode(bytes, event));
    EXPECT_EQ(event.image.environment.bytes, "PATH=/bin\0"s);
    EXPECT_EQ(event.image.environment.source, Source::kernel);
    EXPECT_FALSE(event.lost_fields);
}

} // namespace
