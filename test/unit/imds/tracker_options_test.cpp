// SPDX-License-Identifier: MIT
#include "imds/app/options.hpp"

#include <ebpf_loader/error.hpp>

#include "imds/app/datadog.hpp"
#include "test/unit/imds/imds_support.hpp"
#include "test/unit/support/destinations.hpp"

using namespace imds_test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

TrackerOptions parsed(std::vector<const char*> words) {
    words.insert(words.begin(), "imds-tracker");
    return parse_tracker_options(static_cast<int>(words.size()), words.data());
}

std::string refused(const std::vector<const char*>& words) {
    try {
        parsed(words);
    } catch (const ebpf_loader::Error& error) {
        EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST(ImdsOptions, Defaults) {
    const TrackerOptions options = parsed({});
    EXPECT_FALSE(has(options.common, datadog_sink) || options.unsafe || options.user_stack_trace ||
                 options.summary);
    EXPECT_EQ(options.common.host_proc, "/proc");
    EXPECT_EQ(options.common.format->name, "text");
    EXPECT_TRUE(has(options.common, telemetry::screen_sink));
    EXPECT_EQ(options.common.log_level, telemetry::LogLevel::info);
}

TEST(ImdsOptions, All) {
    const TrackerOptions options = parsed({"--datadog",
                                           "--unsafe",
                                           "--user-stack-trace",
                                           "--proc",
                                           "/host/proc",
                                           "--endpoints",
                                           "a",
                                           "--endpoints",
                                           "b",
                                           "--summary=2.5",
                                           "-f",
                                           "json",
                                           "-o",
                                           "x",
                                           "-o",
                                           "-",
                                           "-s",
                                           "--tier",
                                           "tp",
                                           "--vmlinux",
                                           "/v",
                                           "--stats",
                                           "1",
                                           "--duration",
                                           "3",
                                           "--log-level",
                                           "warn",
                                           "--colour",
                                           "never"});
    EXPECT_TRUE(has(options.common, datadog_sink) && options.unsafe && options.user_stack_trace &&
                options.summary);
    EXPECT_EQ(options.common.host_proc, "/host/proc");
    EXPECT_THAT(options.endpoints, ElementsAre("a", "b"));
    EXPECT_EQ(options.summary_every, std::chrono::milliseconds(2500));
    EXPECT_EQ(options.common.format->name, "json");
    EXPECT_THAT(targets(options.common, telemetry::file_sink), ElementsAre("x"));
    EXPECT_TRUE(has(options.common, telemetry::syslog_sink) && has(options.common, telemetry::screen_sink));
    EXPECT_EQ(options.common.vmlinux, "/v");
    EXPECT_EQ(options.common.tier, ebpf_loader::Tier::tp);
    EXPECT_EQ(options.common.log_level, telemetry::LogLevel::warning);
    EXPECT_EQ(options.colour, TrackerOptions::Colour::never);
    EXPECT_FALSE(parsed({"--summary"}).summary_every.has_value());
    EXPECT_EQ(parsed({"--log-level", "panic"}).common.log_level, telemetry::LogLevel::fatal);
    EXPECT_EQ(parsed({"-h"}).common.action, telemetry::Options::Action::help);
    EXPECT_EQ(parsed({"--probe"}).common.action, telemetry::Options::Action::probe);
    EXPECT_EQ(parsed({"--check"}).common.action, telemetry::Options::Action::check);
}

TEST(ImdsOptions, Limits) {
    const TrackerOptions options = parsed({"--max-cpu", "30", "--max-memory", "48"});
    EXPECT_EQ(options.common.max_cpu, 30u);
    EXPECT_EQ(options.common.max_memory, size_t{48} << 20);
}

TEST(ImdsOptions, Mistakes) {
    EXPECT_THAT(refused({"--nonsense"}), HasSubstr("--help"));
    EXPECT_THAT(refused({"--summary=-1"}), HasSubstr("--summary takes"));
    EXPECT_THAT(refused({"--summary=nan"}), HasSubstr("--summary"));
    EXPECT_THAT(refused({"--proc", ""}), HasSubstr("--proc"));
    EXPECT_THAT(refused({"--proc", "/a", "--host-proc", "/b"}), HasSubstr("give only one"));
    EXPECT_THAT(refused({"--colour", "blue"}), HasSubstr("--colour is"));
    EXPECT_THAT(refused({"-f", "xml"}), HasSubstr("--format is"));
    EXPECT_THAT(refused({"--log-level", "loud"}), HasSubstr("--log-level is"));
    EXPECT_THAT(refused({"-c", "a", "--vmlinux", "b"}), HasSubstr("give only one"));
    EXPECT_THAT(refused({"stray"}), HasSubstr("--help"));
}
