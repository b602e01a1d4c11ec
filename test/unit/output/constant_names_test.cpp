// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"

using namespace telemetry;

namespace {

class Names : public testing::Test {
  protected:
    std::string flags(std::string_view set, uint64_t value) {
        LineBuffer line;
        names_.put_flags(line, names_.find_set(set), value);
        return std::string(line.view());
    }
    std::string value(std::string_view set, uint64_t value) {
        LineBuffer line;
        names_.put_value(line, names_.find_set(set), value);
        return std::string(line.view());
    }

    ConstantNames names_;
};

} // namespace

TEST_F(Names, OpenFlags) {
    EXPECT_EQ(flags("open", O_RDONLY), R"(["O_RDONLY"])");
    EXPECT_EQ(flags("open", O_RDONLY | O_CLOEXEC), R"(["O_RDONLY","O_CLOEXEC"])");
    EXPECT_EQ(flags("open", O_WRONLY | O_CREAT | O_TRUNC), R"(["O_WRONLY","O_CREAT","O_TRUNC"])");
    EXPECT_EQ(flags("open", O_RDWR | O_SYNC), R"(["O_RDWR","O_SYNC"])");
    EXPECT_EQ(flags("open", O_RDWR | O_DSYNC), R"(["O_RDWR","O_DSYNC"])");
    EXPECT_EQ(flags("open", O_WRONLY | 1UL << 40), R"(["O_WRONLY","0x10000000000"])");
}

TEST_F(Names, OtherFlags) {
    EXPECT_EQ(flags("mmap_prot", PROT_NONE), R"(["PROT_NONE"])");
    EXPECT_EQ(flags("mmap_prot", PROT_READ | PROT_EXEC), R"(["PROT_READ","PROT_EXEC"])");
    EXPECT_EQ(flags("mmap_flags", MAP_PRIVATE | MAP_ANONYMOUS), R"(["MAP_PRIVATE","MAP_ANONYMOUS"])");
    EXPECT_EQ(flags("clone", CLONE_VM | SIGCHLD), R"(["CLONE_VM","0x11"])");
    EXPECT_EQ(flags("socket_type", SOCK_RAW | SOCK_CLOEXEC), R"(["SOCK_RAW","SOCK_CLOEXEC"])");
    EXPECT_EQ(flags("at", 0), "[]");
}

TEST_F(Names, Values) {
    EXPECT_EQ(value("address_family", AF_INET6), R"(["AF_INET6"])");
    EXPECT_EQ(value("address_family", 12345), R"(["0x3039"])");
    EXPECT_EQ(value("signal", SIGKILL), R"(["SIGKILL"])");
    EXPECT_EQ(value("keyring", 0xffffffff), R"(["KEY_SPEC_THREAD_KEYRING"])"); // -1 in 32 bits
    EXPECT_EQ(value("reboot_magic", 0xfee1dead), R"(["LINUX_REBOOT_MAGIC1"])");
}

/// Answers are remembered: others with the same place in the memory must not get them.
TEST_F(Names, ManyValuesOneAfterTheOther) {
    ConstantNames fresh;
    for (int round = 0; round < 2; ++round) {
        for (uint64_t bits = 0; bits < 5000; ++bits) {
            LineBuffer line;
            ConstantNames().put_flags(line, fresh.find_set("open"), bits);
            ASSERT_EQ(flags("open", bits), line.view()) << bits;
            bits += bits / 50;
        }
    }
}

TEST_F(Names, UnknownSet) {
    EXPECT_EQ(names_.find_set("no such set"), ConstantNames::no_set);
}

TEST_F(Names, InTheOutput) {
    const auto formatter = format_named("json").make(samples::context());
    const auto flags_of = [&](const char* call, std::initializer_list<uint64_t> args) {
        const Event event = samples::call(*ebpf_loader::find_syscall(call), 0, args);
        const auto made = nlohmann::json::parse(samples::formatted(*formatter, event));
        return made["linux"]["syscall"].value("flags", nlohmann::json()).dump();
    };
    EXPECT_EQ(flags_of("openat", {0xffffff9c, 0, O_WRONLY | O_CREAT, 0644}),
              R"({"flags":["O_WRONLY","O_CREAT"]})");
    EXPECT_EQ(flags_of("kill", {1, SIGTERM}), R"({"sig":["SIGTERM"]})");
    EXPECT_EQ(flags_of("getpid", {}), "null");
}
