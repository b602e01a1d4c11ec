// SPDX-License-Identifier: MIT
#include "telemetry/delivery/line_limit.hpp"
#include "test/unit/support/emulated.hpp"

#include <chrono>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace telemetry;
using OrderedJson = nlohmann::ordered_json;
using testing::IsEmpty;

namespace {

const std::string path(2000, 'p');

/// As formatters make it, with the arguments that a process chose.
OrderedJson event(const std::vector<std::string>& arguments) {
    std::string line;
    for (const std::string& argument : arguments)
        line += (line.empty() ? "" : " ") + argument;
    return {{"@timestamp", "2026-11-27T22:15:18.000000123Z"},
            {"event", {{"id", "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1-0-1-7"}, {"action", "exec"}}},
            {"process",
             {{"pid", 7},
              {"entity_id", std::string(90, 'e')},
              {"args", arguments},
              {"args_count", arguments.size()},
              {"command_line", line}}},
            {"file", {{"path", path}}},
            {"linux", {{"telemetry", {{"tier", "raw_tp"}, {"cpu", 1}}}}}};
}

std::vector<std::string> cut_fields(const OrderedJson& event) {
    std::vector<std::string> names;
    const OrderedJson::json_pointer list("/linux/telemetry/truncated");
    if (event.contains(list))
        for (const OrderedJson& entry : event[list])
            names.push_back(entry["field"]);
    return names;
}

/// What is left is one whole object of that size at most, with the same identity and beginnings of the same
/// texts.
OrderedJson checked(const OrderedJson& before, size_t most, bool is_ascii = false) {
    const std::string line = before.dump(-1, ' ', is_ascii, OrderedJson::error_handler_t::replace) + "\n";
    LineLimit limit(most);
    const std::string_view fitted = limit.fit(line);
    EXPECT_LE(fitted.size(), most);
    EXPECT_EQ(fitted.back(), '\n');
    EXPECT_EQ(fitted.find('\n'), fitted.size() - 1);
    OrderedJson after = OrderedJson::parse(fitted, nullptr, false);
    EXPECT_TRUE(after.is_object()) << fitted.substr(0, 200);
    EXPECT_EQ(after["event"]["id"], before["event"]["id"]);
    EXPECT_EQ(after["process"]["entity_id"], before["process"]["entity_id"]);
    const std::string command = before["process"]["command_line"];
    EXPECT_TRUE(command.starts_with(after["process"]["command_line"].get<std::string>()));
    const OrderedJson& arguments = after["process"]["args"];
    EXPECT_LE(arguments.size(), before["process"]["args"].size());
    for (size_t i = 0; i + 1 < arguments.size(); ++i)
        EXPECT_EQ(arguments[i], before["process"]["args"][i]) << i;
    return after;
}

TEST(LineLimit, WhatFitsStaysAsItIs) {
    const std::string line = event({"true"}).dump() + "\n";
    LineLimit exact(line.size()), none(0);
    EXPECT_EQ(exact.fit(line).data(), line.data());
    EXPECT_EQ(none.fit(line).data(), line.data());
}

TEST(LineLimit, ArgumentsAreCutFirstAndNamed) {
    const OrderedJson after = checked(event({"true", std::string(30'000, 'x'), "last"}), 16'384);
    EXPECT_THAT(cut_fields(after), testing::ElementsAre("process.args", "process.command_line"));
    EXPECT_EQ(after["file"]["path"], path);
    EXPECT_EQ(after["process"]["args_count"], 3);
    EXPECT_EQ(after["linux"]["telemetry"]["truncated"][0]["original_length"], 5 + 30'001 + 5);
    EXPECT_EQ(after["linux"]["telemetry"]["truncated"][1]["original_length"], 5 + 30'000 + 5);
    EXPECT_GT(after["process"]["args"][1].get<std::string>().size(), 5000U) << "as much stays as fits";
}

TEST(LineLimit, AnyLimitLeavesAWholeLine) {
    const std::string hostile[] = {std::string(30'000, '\x01'),
                                   std::string(15'000, '"') + std::string(9000, '\\'), [] {
                                       std::string text;
                                       for (int i = 0; i < 4000; ++i)
                                           text += "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac";
                                       return text;
                                   }()};
    for (const std::string& text : hostile)
        for (const bool is_ascii : {false, true})
            for (size_t most = LineLimit::least; most < LineLimit::least + 40; ++most)
                EXPECT_EQ(cut_fields(checked(event({"a", text}), most, is_ascii)).size(), 2U);
}

TEST(LineLimit, ManySmallArgumentsAreLeftOut) {
    const OrderedJson after = checked(event(std::vector<std::string>(20'000, "a")), 20'000);
    EXPECT_GT(after["process"]["args"].size(), 1500U);
    EXPECT_EQ(after["process"]["args_count"], 20'000);
}

TEST(LineLimit, RawBytesAreLeftOutWhole) {
    OrderedJson before = event({"a"});
    OrderedJson raw = OrderedJson::array();
    for (int i = 0; i < 3000; ++i)
        raw.push_back({{"field", "process.args[" + std::to_string(i) + "]"}, {"base64", "/v7+"}});
    before["linux"]["telemetry"]["raw"] = raw;
    const OrderedJson after = checked(before, 10'000);
    const OrderedJson& left = after["linux"]["telemetry"]["raw"];
    EXPECT_GT(left.size(), 50U);
    for (size_t i = 0; i < left.size(); ++i)
        EXPECT_EQ(left[i], raw[i]);
    EXPECT_THAT(cut_fields(after), testing::ElementsAre("linux.telemetry.raw"));
}

TEST(LineLimit, OtherTextsFollow) {
    OrderedJson before = event({std::string(3000, 'x')});
    before["file"]["path"] = std::string(9000, 'p');
    before["linux"]["syscall"]["paths"] =
        OrderedJson::array({{{"path", std::string(9000, 'q')}}, {{"path", "short"}}});
    const OrderedJson after = checked(before, LineLimit::least);
    EXPECT_THAT(cut_fields(after), testing::UnorderedElementsAre("process.args", "process.command_line",
                                                                 "file.path", "linux.syscall.paths[0].path"));
    EXPECT_THAT(after["process"]["args"], IsEmpty());
    EXPECT_GT(after["file"]["path"].get<std::string>().size(), 2000U);
}

TEST(LineLimit, NotesHaveAPlaceInEveryShapeOfLine) {
    const std::vector<std::string> arguments = {std::string(30'000, 'x')};
    OrderedJson before = event(arguments);
    before.erase("linux");
    EXPECT_EQ(cut_fields(checked(before, 9000)).size(), 2U);
    before["linux"] = OrderedJson::object();
    EXPECT_EQ(cut_fields(checked(before, 9000)).size(), 2U);
    before["linux"] = {{"audit", {{"auid", 1}}}};
    OrderedJson after = checked(before, 9000);
    EXPECT_EQ(cut_fields(after).size(), 2U);
    EXPECT_EQ(after["linux"]["audit"]["auid"], 1);
    before["linux"]["telemetry"]["truncated"] =
        OrderedJson::array({{{"field", "process.args"}, {"original_length", 70'000}, {"at_least", true}}});
    after = checked(before, 9000);
    EXPECT_THAT(cut_fields(after), testing::UnorderedElementsAre("process.args", "process.command_line"));
}

TEST(LineLimit, WhatIsNoObjectStays) {
    LineLimit limit(LineLimit::least);
    const std::string deep(20'000, '['), open = "{\"a\":\"" + std::string(20'000, 'x'), other(20'000, 'x');
    for (const std::string& line : {deep, open, other})
        EXPECT_EQ(limit.fit(line), line);
}

TEST(LineLimit, CostIsInProportionToTheLength) {
    if (is_emulated())
        GTEST_SKIP() << "an emulator's time is that of translating the program too";
    const auto time_of = [](size_t count) {
        const std::string line = event(std::vector<std::string>(count, "\xf0\x9f\x98\x80")).dump() + "\n";
        LineLimit limit(LineLimit::least);
        auto best = std::chrono::nanoseconds::max();
        for (int i = 0; i < 5; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            limit.fit(line);
            best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - begin);
        }
        return best;
    };
    EXPECT_LT(time_of(100'000), 40 * time_of(10'000));
}

} // namespace
