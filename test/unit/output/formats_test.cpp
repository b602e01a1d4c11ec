// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <ebpf_loader/error.hpp>

#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/harmless.hpp"

using namespace telemetry;
using testing::HasSubstr;

TEST(FormatterFactory, KnowsItsFormatsAndRefusesOthers) {
    EXPECT_EQ(format_names(), "text, json, audit, audit-enriched, ocsf, brief");
    for (const Format* format : formats())
        EXPECT_NE(format->make(samples::context()), nullptr);
    try {
        format_named("xml");
        FAIL() << "no error";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
        EXPECT_THAT(error.what(), HasSubstr("\"xml\""));
        EXPECT_THAT(error.what(), HasSubstr("text, json, audit"));
    }
}

TEST(FormatterFactory, AHostileNodeNameIsEscapedToo) {
    FormatContext context = samples::context();
    context.node = "a\"\n\xff";
    context.tier = context.boot_id = context.node;
    for (const Format* format : formats()) {
        std::string out = samples::formatted(*format->make(context), samples::event());
        if (format->name == "audit-enriched") // names stand behind such a byte
            std::erase(out, '\035');
        if (!format->name.starts_with("audit")) { // several lines an event
            expect_harmless(out);
            continue;
        }
        for (size_t end = 0; (end = out.find('\n')) != std::string::npos; out.erase(0, end + 1))
            expect_harmless(out.substr(0, end + 1));
        EXPECT_EQ(out, "");
    }
}
