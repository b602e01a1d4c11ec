// SPDX-License-Identifier: MIT
// What each of several outputs is given of the same events.
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "telemetry/app/deliveries.hpp"
#include "telemetry/delivery/config.hpp"
#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/temporary_folder.hpp"

namespace telemetry {

namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(json::parse(line));
    std::erase_if(lines, [](const json& line) { return line["event"].contains("kind"); }); // checkpoints
    return lines;
}

struct DeliveriesTest : testing::Test {
    std::string output(const std::string& name, const std::string& more) const {
        return "[output." + name + "]\nkind = file\nformat = json\npath = " + path(name) + "\n" + more;
    }
    std::string path(const std::string& name) const { return folder.path() + "/" + name; }
    void put(Deliveries& outputs, const std::string& key) {
        event.key = key;
        ++event.sequence;
        outputs.put(event, text_format, "");
    }

    const TemporaryFolder folder;
    FormatContext context = samples::context();
    Event event = samples::call(samples::openat, 3);
};

/// A compact line that describes the process may have gone to another output alone.
TEST_F(DeliveriesTest, AFilteredOutputIsToldOfEachProcess) {
    context.fields = choose_fields("compact");
    Deliveries outputs(parse_outputs(output("all", "") + output("some", "keys = wanted\n"), "x"));
    outputs.begin(context);
    for (const char* key : {"", "", "wanted", "", "wanted"})
        put(outputs, key);
    outputs.close();
    const std::vector<json> all = lines_of(path("all")), some = lines_of(path("some"));
    ASSERT_EQ(all.size(), 5U);
    ASSERT_EQ(some.size(), 2U);
    EXPECT_TRUE(all[0]["process"].contains("executable"));
    EXPECT_TRUE(some[0]["process"].contains("executable"));
    for (const json& line : {all[1], all[2], all[3], all[4], some[1]})
        EXPECT_FALSE(line["process"].contains("executable")) << line;
    EXPECT_EQ(some[0]["event"]["id"], all[2]["event"]["id"]);
}

} // namespace

} // namespace telemetry
