// SPDX-License-Identifier: MIT
// What the caller wrote, where that is another spelling of the path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "test/unit/output/output_samples.hpp"

namespace {

using namespace telemetry;
using nlohmann::json;
using samples::known;
using testing::HasSubstr;

TEST(CalledPath, StandsBesideThePathInText) {
    Event event = samples::call(samples::openat, -ENOENT);
    samples::add_path(event, 1, "/etc/x", Source::user_memory);
    event.path[0].lexical = true;
    telemetry::Witnessed witnessed;
    witnessed.called[0] = known("/tmp/../etc/x", Source::user_memory);
    event.witnessed = &witnessed;
    EXPECT_THAT(samples::text_line(event), HasSubstr(" path=\"/etc/x\" called_path=\"/tmp/../etc/x\" "
                                                     "user_memory=path,called_path lexical=path\n"));
    event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "/a", Source::user_memory);
    samples::add_path(event, 1, "/b", Source::user_memory);
    witnessed.called[0] = {};
    witnessed.called[1] = known("//b", Source::user_memory);
    event.witnessed = &witnessed;
    EXPECT_THAT(samples::text_line(event), HasSubstr(" path1=\"/a\" path2=\"/b\" called_path2=\"//b\" "
                                                     "user_memory=path1,path2,called_path2\n"));
}

TEST(CalledPath, StandsBesideThePathInJson) {
    Event event = samples::call(samples::openat, -ENOENT);
    samples::add_path(event, 1, "/etc/x", Source::user_memory);
    event.path[0].lexical = true;
    telemetry::Witnessed witnessed;
    witnessed.called[0] = known("/tmp/../etc/x", Source::user_memory);
    event.witnessed = &witnessed;
    json made = samples::json_line(event);
    EXPECT_EQ(made["file"]["path"], "/etc/x");
    EXPECT_EQ(made["linux"]["syscall"]["called_path"], "/tmp/../etc/x");
    EXPECT_EQ(made["linux"]["telemetry"]["lexical"], json({"file.path"}));
    event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "/a", Source::user_memory);
    samples::add_path(event, 1, "/b", Source::user_memory);
    witnessed.called[0] = {};
    witnessed.called[1] = known("//b", Source::user_memory);
    event.witnessed = &witnessed;
    made = samples::json_line(event);
    EXPECT_EQ(made["linux"]["syscall"]["paths"][1]["called_path"], "//b");
    EXPECT_FALSE(made["linux"]["syscall"]["paths"][0].contains("called_path"));
    EXPECT_FALSE(made["linux"]["syscall"].contains("called_path"));
}

} // namespace
