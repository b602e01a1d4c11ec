// SPDX-License-Identifier: MIT
// Descriptors that messages carry, in each format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "test/unit/output/output_samples.hpp"

namespace {

using namespace telemetry;
using nlohmann::json;
using testing::HasSubstr;

PassedDescriptors passed(std::initializer_list<int32_t> numbers) {
    PassedDescriptors made;
    std::ranges::copy(numbers, made.fd.begin());
    made.count = made.kept = static_cast<uint16_t>(numbers.size());
    made.control.status = Status::ok;
    made.control.source = Source::user_memory;
    return made;
}

TEST(PassedFds, AreListed) {
    Event event = samples::call(samples::openat, 1);
    PassedDescriptors descriptors = passed({5, 6});
    event.passed = &descriptors;
    EXPECT_THAT(samples::text_line(event), HasSubstr(" passed_fds=5,6 user_memory=passed_fds\n"));
    json made = samples::json_line(event);
    EXPECT_EQ(made["linux"]["passed_fds"], json({5, 6}));
    EXPECT_EQ(made["linux"]["telemetry"]["user_memory"], json({"linux.passed_fds"}));
    EXPECT_FALSE(made["linux"].contains("passed_fds_count"));
    descriptors.count = 300;
    EXPECT_THAT(samples::text_line(event), HasSubstr(" passed_fds=5,6 passed_fds_count=300 user_memory="));
    EXPECT_EQ(samples::json_line(event)["linux"]["passed_fds_count"], 300);
}

TEST(PassedFds, SayWhatIsNotKnown) {
    Event event = samples::call(samples::openat, 1);
    PassedDescriptors descriptors = passed({});
    descriptors.control.status = Status::truncated;
    descriptors.control.original_length = 3000;
    event.passed = &descriptors;
    EXPECT_THAT(samples::text_line(event),
                HasSubstr(" passed_fds=? user_memory=passed_fds truncated=passed_fds:3000\n"));
    const json made = samples::json_line(event);
    EXPECT_FALSE(made["linux"].contains("passed_fds"));
    EXPECT_EQ(made["linux"]["telemetry"]["truncated"],
              json::parse(R"([{"field":"linux.passed_fds","original_length":3000}])"));
    descriptors.control.status = Status::fault;
    EXPECT_THAT(samples::text_line(event), HasSubstr(" passed_fds=? fault=passed_fds"));
    EXPECT_EQ(samples::json_line(event)["linux"]["telemetry"]["fault"], json({"linux.passed_fds"}));
    descriptors = passed({7}); // and another message that could not be read
    descriptors.control.status = Status::fault;
    descriptors.control.shared = true;
    EXPECT_THAT(samples::text_line(event),
                HasSubstr(" passed_fds=7 user_memory=passed_fds shared=passed_fds fault=passed_fds"));
}

} // namespace
