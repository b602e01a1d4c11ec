// SPDX-License-Identifier: MIT
// Outputs that a reload changes.
#include "telemetry/delivery/output.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>

#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

struct ChangedOutput : testing::Test {
    OutputSettings to_file(const std::string& name, const std::string& more = "") const {
        return parse_outputs("[output.o]\nkind = file\npath = " + folder.path() + "/" + name + "\n" + more,
                             "f")
            .at(0);
    }
    /// Lines with numbers that go on.
    void put(DeliveryOutput& output, int count) {
        for (int i = 0; i < count; ++i)
            output.put(std::to_string(put_++) + "\n", false, true);
        output.hand_over();
    }
    std::string written(const std::string& name) const {
        std::ifstream file(folder.path() + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static std::string numbers(int from, int to) {
        std::string text;
        for (int i = from; i < to; ++i)
            text += std::to_string(i) + "\n";
        return text;
    }

    TemporaryFolder folder;
    int put_ = 0;
};

TEST_F(ChangedOutput, LosesNothingAndMixesNothing) {
    DeliveryOutput output(to_file("0"));
    for (int turn = 1; turn <= 20; ++turn) {
        put(output, 100);
        output.change(to_file(std::to_string(turn)));
    }
    put(output, 100);
    output.close();
    for (int turn = 0; turn <= 20; ++turn) { // settings that were changed before they began wrote nothing
        const std::string text = written(std::to_string(turn));
        const int first = text.empty() ? 0 : std::stoi(text);
        EXPECT_EQ(text, numbers(first, first + static_cast<int>(std::ranges::count(text, '\n'))));
    }
    const DeliveryReport report = *output.report().delivery;
    EXPECT_EQ(report.offered, 2100u);
    EXPECT_EQ(report.delivered, 2100u);
    EXPECT_EQ(report.waiting, 0u);
    EXPECT_THAT(written("20"), testing::EndsWith("2099\n"));
}

TEST_F(ChangedOutput, GoesOnAsBeforeWhereTheNewSettingsCannotBeOpened) {
    DeliveryOutput output(to_file("before"));
    put(output, 3);
    output.change(to_file("no/such/folder/file"));
    put(output, 3);
    output.close();
    EXPECT_EQ(written("before"), numbers(0, 6));
    EXPECT_FALSE(output.is_broken());
}

TEST_F(ChangedOutput, IsWokenAfterItsEnd) {
    DeliveryOutput output(to_file("a"));
    put(output, 3);
    output.end();
    std::this_thread::sleep_for(50ms); // its thread ends, or does not yet: both go well
    output.change(to_file("b", "keys = k\n"));
    EXPECT_FALSE(output.wants("other"));
    put(output, 2);
    output.close();
    EXPECT_EQ(written("a"), numbers(0, 3));
    EXPECT_EQ(written("b"), numbers(3, 5));
    EXPECT_EQ(output.report().delivery->delivered, 5u);
}

/// The spool belongs to one carrier at a time, and what it holds is counted once.
TEST_F(ChangedOutput, TakesItsSpoolOver) {
    const auto settings = [&](int port) {
        return parse_outputs("[output.o]\nkind = syslog\nserver = tcp://127.0.0.1:" + std::to_string(port) +
                                 "\nspool = 4M\nspool_dir = " + folder.path() + "/spool\n",
                             "f")
            .at(0);
    };
    DeliveryOutput output(settings(1)); // nobody listens
    put(output, 10);
    output.drain();
    output.change(settings(2));
    put(output, 5);
    output.drain();
    output.close();
    const DeliveryReport report = *output.report().delivery;
    EXPECT_EQ(report.offered, 15u);
    EXPECT_EQ(report.resumed, 0u);
    EXPECT_EQ(report.waiting, 15u);
    EXPECT_EQ(output.report().lost, 0u);
}

} // namespace
