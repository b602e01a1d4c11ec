// SPDX-License-Identifier: MIT
// Every byte comes back, whatever it is.
#include <algorithm>
#include <span>

#include "test/unit/output/json_support.hpp"

using namespace json_test;
using samples::known;

TEST_F(JsonFormatterTest, HostileStringsComeBackByteByByte) {
    for (const std::string& bytes : samples::hostile_strings()) {
        Event event = samples::call(samples::rename, 0);
        event.comm = bytes;
        event.cwd = known(bytes);
        event.image.exe.bytes = bytes;
        event.image.tty = known(bytes);
        samples::add_path(event, 0, bytes);
        const std::string second = bytes + "!";
        samples::add_path(event, 1, second);
        const json made = object(event);
        for (const char* field :
             {"process.thread.name", "process.working_directory", "process.executable", "linux.process.tty",
              "file.Ext.original.path", "linux.syscall.paths[0].path"})
            EXPECT_EQ(bytes_of(made, field), bytes) << field;
        EXPECT_EQ(bytes_of(made, "linux.syscall.paths[1].path"), second);
    }
}

TEST_F(JsonFormatterTest, RandomBytesComeBackByteByByte) {
    std::mt19937 random(20251121);
    for (int round = 0; round < 3000; ++round) {
        const samples::RandomExecve sample(random);
        const json made = object(sample.event);
        ASSERT_EQ(bytes_of(made, "process.thread.name"), sample.comm);
        ASSERT_EQ(bytes_of(made, "file.path"), sample.path);
        ASSERT_EQ(made["process"]["args"].size(), sample.arguments.size());
        for (size_t i = 0; i < sample.arguments.size(); ++i)
            ASSERT_EQ(bytes_of(made, "process.args[" + std::to_string(i) + "]"), sample.arguments[i]);
    }
}

TEST_F(JsonFormatterTest, OnlyTextThatIsNoUtf8NeedsRawBytes) {
    Event event = samples::event();
    event.comm = "\ufffd\u202e\x1b";
    EXPECT_FALSE(object(event)["linux"]["telemetry"].contains("raw"));
    event.comm = "caf\xe9";
    const json made = object(event);
    EXPECT_EQ(made["process"]["thread"]["name"], "caf\ufffd");
    EXPECT_EQ(made["linux"]["telemetry"]["raw"],
              json::parse(R"([{"field":"process.thread.name","base64":"Y2Fm6Q=="}])"));
}

bool points_to_text(const ebpf_loader::Argument& argument) {
    using Kind = ebpf_loader::ArgKind;
    constexpr Kind texts[] = {Kind::path,          Kind::path_text, Kind::path_new_cwd,
                              Kind::path_new_root, Kind::string,    Kind::argv,
                              Kind::envp,          Kind::structure, Kind::bytes};
    return std::ranges::find(texts, argument.kind) != std::end(texts);
}

TEST_F(JsonFormatterTest, EveryCallOfTheTableMakesValidJson) {
    for (const auto& row : ebpf_loader::syscall_rows()) {
        Event event = samples::call(row, -EPERM, {UINT64_MAX, 1, 0x8241, 0x7fffffff, 0, 9});
        const json made = object(event);
        EXPECT_FALSE(made["event"]["action"].get<std::string>().empty()) << row.name;
        EXPECT_EQ(made["linux"]["syscall"]["name"], row.name);
        const auto arguments = std::span(row.argument).first(row.arguments);
        const auto texts = std::ranges::count_if(arguments, points_to_text);
        const json args = made["linux"]["syscall"].value("args", json::object());
        EXPECT_EQ(args.size() + static_cast<size_t>(texts), row.arguments) << row.name;
    }
}
