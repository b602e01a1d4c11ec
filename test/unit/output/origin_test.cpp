// SPDX-License-Identifier: MIT
#include "telemetry/output/origin.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sys/utsname.h>

#include "telemetry/output/json/head.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using nlohmann::json;

namespace {

class Origin : public testing::Test {
  protected:
    void put(const std::string& name, const std::string& text) {
        const auto path = std::filesystem::path(folder_.path()) / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }
    Host host() const { return read_host(folder_.path()); }

    TemporaryFolder folder_;
};

TEST_F(Origin, OsReleaseIsReadAsAShellWould) {
    put("etc/os-release",
        "# a comment=1\nNAME=\"Amazon \\\"Linux\\\"\"\nVERSION_ID='2'\nID=amzn\n"
        "ID_LIKE=\"centos rhel fedora\"\nPRETTY_NAME=Amazon\\ Linux\\ 2 \t\r\nno equals sign\n=x\n");
    const Host made = host();
    EXPECT_EQ(made.os_name, "Amazon \"Linux\"");
    EXPECT_EQ(made.os_version, "2");
    EXPECT_EQ(made.os_platform, "amzn");
    EXPECT_EQ(made.os_family, "redhat");
    EXPECT_EQ(made.os_full, "Amazon Linux 2");
}

TEST_F(Origin, FamiliesOfDistributions) {
    const std::pair<const char*, const char*> families[] = {
        {"ID=debian\n", "debian"},
        {"ID=ubuntu\nID_LIKE=debian\n", "debian"},
        {"ID=linuxmint\nID_LIKE=\"ubuntu\"\n", "debian"},
        {"ID=\"sles\"\nID_LIKE=\"suse\"\n", "suse"},
        {"ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "suse"},
        {"ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "redhat"},
        {"ID=alpine\n", "alpine"},
        {"ID=void\n", "void"},
    };
    for (const auto& [text, family] : families) {
        put("etc/os-release", text);
        EXPECT_EQ(host().os_family, family) << text;
    }
}

TEST_F(Origin, TheVendorsFileServesWhereTheAdministratorHasNone) {
    put("usr/lib/os-release", "ID=fedora\n");
    EXPECT_EQ(host().os_platform, "fedora");
}

TEST_F(Origin, WhatIsAbsentOrTooLongIsEmpty) {
    EXPECT_EQ(host().os_name, "");
    EXPECT_EQ(host().id, "");
    put("etc/os-release", "NAME=x\n" + std::string(70'000, '#'));
    EXPECT_EQ(host().os_name, "");
}

TEST_F(Origin, OnlyAMachineIdIsOne) {
    for (const char* none : {"uninitialized\n", "", "0123\n", "0123456789ABCDEF0123456789ABCDEF\n"}) {
        put("etc/machine-id", none);
        EXPECT_EQ(host().id, "") << none;
    }
    put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    EXPECT_EQ(host().id, "0123456789abcdef0123456789abcdef");
}

TEST_F(Origin, TheKernelSaysWhatItIs) {
    utsname system{};
    ASSERT_EQ(uname(&system), 0);
    EXPECT_EQ(host().architecture, system.machine);
    EXPECT_EQ(host().kernel, system.release);
}

TEST(Agent, IsTheSameOnAMachineAndAnotherInEachRun) {
    const std::string machine = "0123456789abcdef0123456789abcdef";
    const Agent one = make_agent("ebpf_telemetry", "1", machine);
    const Agent two = make_agent("ebpf_telemetry", "2", machine);
    EXPECT_EQ(one.id, two.id);
    EXPECT_EQ(one.id.size(), 36U);
    EXPECT_EQ(one.id.find("01234567"), std::string::npos);
    EXPECT_NE(one.ephemeral_id, two.ephemeral_id);
    EXPECT_NE(make_agent("imds-tracker", "1", machine).id, one.id);
    EXPECT_NE(make_agent("ebpf_telemetry", "1", "f" + machine.substr(1)).id, one.id);
    EXPECT_EQ(make_agent("ebpf_telemetry", "1", "").id, "");
}

TEST(JsonHead, LeavesOutWhatIsNotKnown) {
    FormatContext context;
    context.node = "a\"b";
    context.agent = {"ebpf_telemetry", "1.0", "", "run"};
    const json made = json::parse("{\"@timestamp\":\"" + json_head(context, "events") +
                                  json_event_id(context) + "0-1-2\"}}");
    EXPECT_EQ(made["host"], json({{"name", "a\"b"}, {"hostname", "a\"b"}, {"os", {{"type", "linux"}}}}));
    EXPECT_EQ(made["agent"], json({{"type", "ebpf_telemetry"}, {"version", "1.0"}, {"ephemeral_id", "run"}}));
    EXPECT_EQ(made["event"]["dataset"], made["data_stream"]["dataset"]);
    EXPECT_EQ(made["event"]["id"], "run-0-1-2");
}

} // namespace
