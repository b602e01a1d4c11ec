// SPDX-License-Identifier: MIT
// What waits in the tracker is owned by it: the event and its record are gone by then. Sanitizers
// see what is not.
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;

namespace {

/// An event whose texts are in memory of their own.
struct Borrowed {
    std::string comm = "comm of memory", exe = "/usr/bin/of/memory/that/is/freed",
                tty = "pts/of/memory/freed",
                argv = samples::string_list({"argument", "of", "memory", "that", "is", "freed"}),
                cwd = "/a/directory/of/memory/that/is/freed", root = "/a/root/of/memory/that/is/freed";

    void lend(Event& event) const {
        event.comm = comm;
        event.image.exe.bytes = exe;
        event.image.tty = samples::known<telemetry::Text>(tty);
        event.image.argv = samples::known<telemetry::StringList>(argv);
        event.cwd = samples::known<telemetry::Text>(cwd);
        event.root = samples::known<telemetry::Text>(root);
    }
};

} // namespace

TEST(ImdsOwnership, NothingRefersToAnEventThatHasPassed) {
    ImdsTracker::Options options = SimulatedConnection::in_order();
    options.queue.wait_ns = 1000 * millisecond;
    SimulatedConnection simulated(std::move(options));
    const auto pass = [&](Direction direction, const std::string& moved) {
        const auto borrowed = std::make_unique<Borrowed>();
        const auto bytes = std::make_unique<std::string>(moved);
        borrowed->lend(simulated.process);
        simulated.tracker.take(simulated.process);
        simulated.tracker.take(simulated.segment(direction, *bytes));
        simulated.process = samples::event();
    };
    pass(Direction::sent, request("GET /latest/meta-data/ami-id"));
    pass(Direction::received, ec2("ami-of-memory-that-is-freed"));
    EXPECT_TRUE(simulated.events.empty());
    simulated.tracker.finish();
    const json made = simulated.only_json();
    EXPECT_EQ(made["process"]["executable"], Borrowed().exe);
    EXPECT_EQ(made["process"]["working_directory"], Borrowed().cwd);
    EXPECT_EQ(made["process"]["args"][0], "argument");
    EXPECT_EQ(made["linux"]["process"]["tty"], Borrowed().tty);
    EXPECT_THAT(simulated.text_lines, HasSubstr("comm of memory"));
}

TEST(ImdsOwnership, ASnapshotHasThePartOfTheProcessAlone) {
    Event event = samples::event();
    event.kind = EBT_TRANSFER;
    const auto bytes = std::make_unique<std::string>("of the call, and not of the process");
    event.paths = event.strings = 1;
    event.path[0].bytes = event.string[0].bytes = event.exec_argv.bytes = event.sockaddr.bytes =
        event.transfer.bytes = event.user_stack.memory = *bytes;
    const ProcessSnapshot snapshot(event);
    const Event& part = snapshot.event();
    EXPECT_EQ(part.comm, event.comm);
    EXPECT_NE(part.comm.data(), event.comm.data());
    EXPECT_EQ(part.paths + part.strings, 0);
    for (const std::string_view text : {part.path[0].bytes, part.string[0].bytes, part.exec_argv.bytes,
                                        part.sockaddr.bytes, part.transfer.bytes, part.user_stack.memory})
        EXPECT_TRUE(text.empty());
}
