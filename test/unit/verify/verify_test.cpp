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
    verifier.take(checkpoint(3, 21, true, 2));
    EXPECT_FALSE(is_complete());
    EXPECT_THAT(text,
                HasSubstr("2 missing, of which 2 are reported as lost\n  2 missing between t1 and t2\n"));
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
