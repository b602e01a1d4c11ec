// SPDX-License-Identifier: MIT
#include "telemetry/verify/verify.hpp"

#include <gmock/gmock.h>
#include <sstream>

using namespace telemetry;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string run_a = "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1",
                  run_b = "00000000-3b4a-4958-8677-a6b5c4d3e2f1";

std::string event(int number, const std::string& run = run_a) {
    return R"({"@timestamp":"t","host":{"name":"web1"},"event":{"id":")" + run + "-0-1-" +
           std::to_string(number) + R"(","kind":"event","action":"getpgid"}})";
}

std::string checkpoint(int number, int lines, bool is_last, int lost = 0, const std::string& output = "siem",
                       const std::string& run = run_a) {
    return R"({"@timestamp":"t)" + std::to_string(number) + R"(","host":{"name":"web1"},"event":{"id":")" +
           run + "-checkpoint-" + output + "-" + std::to_string(number) +
           R"(","kind":"state","action":"checkpoint"},"linux":{"telemetry":{"output":{"name":")" + output +
           R"(","lines":)" + std::to_string(lines) + R"(,"lost":)" + std::to_string(lost) + R"(,"last":)" +
           (is_last ? "true" : "false") + "}}}}";
}

std::string state(const std::string& action, int number, const std::string& about) {
    return R"({"@timestamp":"t","host":{"name":"web1"},"event":{"id":")" + run_a + "-" + action + "-" +
           std::to_string(number) + R"(","kind":"state","action":")" + action +
           R"("},"linux":{"telemetry":{)" + about + "}}}";
}

std::string loss(int number, const std::string& cause, int count) {
    return state("loss", number,
                 R"("loss":{"cause":")" + cause + R"(","count":)" + std::to_string(count) + "}");
}

std::string heartbeat(int number, int lost) {
    return state("heartbeat", number, R"("balance":{"lost":)" + std::to_string(lost) + "}");
}

struct Verify : testing::Test {
    void take(int from, int to, const std::string& run = run_a) {
        for (int i = from; i < to; ++i)
            verifier.take(event(i, run));
    }
    bool is_complete() {
        std::ostringstream out;
        const bool complete = verifier.report(out);
        text = out.str();
        return complete;
    }
    StreamVerifier verifier;
    std::string text;
};

TEST_F(Verify, AWholeRunIsComplete) {
    take(0, 10);
    verifier.take(checkpoint(1, 10, false));
    take(10, 15);
    verifier.take(checkpoint(2, 16, true));
    EXPECT_TRUE(is_complete());
    EXPECT_EQ(text, "host \"web1\" run " + run_a + ": 17 lines, complete to its end at t2\n");
}

TEST_F(Verify, MissingLinesAreCountedBetweenCheckpoints) {
    take(0, 10);
    verifier.take(checkpoint(1, 10, false));
    take(10, 13); // of five
    verifier.take(checkpoint(2, 16, false, 2));
    take(20, 24);
    verifier.take(checkpoint(3, 22, true, 2));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("3 missing, of which 2 are reported as lost\n"
                                "  2 missing between t1 and t2, of which 2 are reported as lost\n"
                                "  1 missing between t2 and t3\n"));
}

TEST_F(Verify, WhatTheOutputReportsAsLostIsNoGap) {
    take(0, 10);
    verifier.take(checkpoint(1, 10, false));
    take(10, 13); // of five
    verifier.take(checkpoint(2, 16, true, 2));
    EXPECT_TRUE(is_complete());
    EXPECT_EQ(text, "host \"web1\" run " + run_a +
                        ": 15 lines, 2 reported as lost, complete to its end at t2 "
                        "but for those\n  2 lost between t1 and t2\n");
}

TEST_F(Verify, LossEventsOfTheOutputCountWhereItsCheckpointsDoNotKnowYet) {
    take(0, 8); // of ten
    verifier.take(checkpoint(1, 10, false));
    verifier.take(loss(1, "output_siem", 2));
    EXPECT_TRUE(is_complete());
    EXPECT_THAT(text,
                HasSubstr("2 reported as lost, complete to the checkpoint at t1 but for those; 1 lines"));
    EXPECT_THAT(text, Not(HasSubstr("before they came to an output")));
    verifier.take(loss(2, "output_other", 50)); // not this one's
    verifier.take(checkpoint(2, 15, true, 2));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("4 missing, of which 2 are reported"));
}

TEST_F(Verify, WhatCameToNoOutputIsSaid) {
    take(0, 10);
    verifier.take(loss(1, "buffer_full", 30));
    verifier.take(loss(2, "rate_limit", 4));
    verifier.take(loss(3, "buffer_full", 3));
    verifier.take(loss(3, "buffer_full", 3)); // came again
    verifier.take(loss(4, "missed_run", 9));
    verifier.take(heartbeat(1, 37));
    verifier.take(checkpoint(1, 15, true));
    EXPECT_TRUE(is_complete()) << text;
    EXPECT_THAT(text,
                HasSubstr("complete to its end at t1\n  37 events are reported as lost before they came to "
                          "an output: buffer_full 33, rate_limit 4\n"
                          "  nobody knows what was missed by missed_run 9\n"));
    verifier.take(heartbeat(2, 40)); // a loss event is missing
    is_complete();
    EXPECT_THAT(text,
                HasSubstr("  40 events are reported as lost before they came to an output: buffer_full 33, "
                          "rate_limit 4, of unknown cause 3\n"));
    verifier.take(loss(5, "x\\n\\u001b[2J", 1));
    is_complete();
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(Verify, DuplicatesAreNoGapFillers) {
    take(0, 9);
    take(3, 6);
    verifier.take(checkpoint(1, 10, true));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("10 lines, 3 came again, 1 missing, of which 0 are reported as lost"));
}

TEST_F(Verify, ACheckpointThatIsMissingIsALine) {
    take(0, 10);
    take(10, 15);
    verifier.take(checkpoint(2, 16, true));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("  1 missing between the start and t2\n"));
}

TEST_F(Verify, LinesThatCameLateAreNotMissing) {
    take(0, 8);
    verifier.take(checkpoint(1, 10, false));
    take(8, 12);
    verifier.take(checkpoint(2, 13, true));
    verifier.take(event(12));
    EXPECT_TRUE(is_complete());
    EXPECT_THAT(text, Not(HasSubstr("missing")));
}

TEST_F(Verify, ARunThatWasKilledIsKnownToItsLastCheckpoint) {
    take(0, 10);
    verifier.take(checkpoint(1, 10, false));
    take(10, 13);
    take(0, 4, run_b);
    verifier.take(checkpoint(1, 4, true, 0, "siem", run_b));
    EXPECT_TRUE(is_complete());
    EXPECT_THAT(text,
                HasSubstr(run_a + ": 14 lines, complete to the checkpoint at t1; 3 lines behind the last"));
    EXPECT_THAT(text, HasSubstr(run_b + ": 5 lines, complete to its end"));
}

TEST_F(Verify, WhatCannotBeVerifiedIsNotComplete) {
    EXPECT_FALSE(is_complete());
    take(0, 3);
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("no checkpoint"));
    verifier.take(checkpoint(1, 3, false));
    EXPECT_TRUE(is_complete());
    for (const char* line : {"", "{", "[1]", "{\"event\":3}", "{\"event\":{\"id\":\"x\"}}", "\xff"})
        verifier.take(line);
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("6 lines are cut or are not of this program, the first is line 5"));
}

TEST_F(Verify, OutputsAreNotMixed) {
    take(0, 3);
    verifier.take(checkpoint(1, 3, true));
    verifier.take(checkpoint(1, 3, true, 0, "other"));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text, HasSubstr("lines of several outputs"));
}

} // namespace
