// SPDX-License-Identifier: MIT
// imds-tracker in a tier, beside a network with metadata services.
#pragma once
#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>

#include "test/imds/expected_event.hpp"
#include "test/imds/metadata_network.hpp"
#include "test/imds/metadata_server.hpp"
#include "test/program/running_program.hpp"
#include "test/tiers.hpp"

inline std::vector<nlohmann::json> parsed(const std::string& text) {
    std::vector<nlohmann::json> events;
    for (const std::string& line : lines_of(text))
        events.push_back(nlohmann::json::parse(line));
    return events;
}

/// Is it the process, or a child of its?
inline bool is_of(const nlohmann::json& event, pid_t pid) {
    return event["process"]["pid"] == pid || event["process"]["parent"]["pid"] == pid;
}

class Capture : public testing::TestWithParam<std::string> {
  protected:
    Capture() {
        bool reports = false;
        for (int i = 0; i < 4 && !reports; i++) // verifiers of old kernels take long under emulation
            reports = tracker_.reports();
        EXPECT_TRUE(reports) << tracker_.err();
    }

    /// Ends the program and returns its events; nothing may be lost or left, and no secret reported.
    const std::vector<nlohmann::json>& events() {
        // What has happened is captured; the rest is up to the buffers' time-out.
        tracker_.send(SIGTERM);
        EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
        const std::string out = tracker_.out();
        EXPECT_THAT(out, testing::Not(testing::HasSubstr(metadata::secret)));
        EXPECT_THAT(tracker_.err(), testing::Not(testing::HasSubstr(metadata::secret)));
        for (const nlohmann::json& summary : tracker_.summaries())
            if (summary.contains("seen")) {
                EXPECT_EQ(summary["imbalance"], 0) << summary;
                EXPECT_TRUE(summary["lost"].empty()) << summary;
                EXPECT_EQ(summary["sequence_gaps"], 0) << summary;
            }
        events_ = parsed(out); // but those of others on this machine
        std::erase_if(events_, [this](const nlohmann::json& event) {
            return event.value(nlohmann::json::json_pointer("/linux/imds/netns"), "") != network_.inode();
        });
        return events_;
    }
    /// Those that a process, or its children, caused.
    std::vector<nlohmann::json> events_of(pid_t pid) const {
        std::vector<nlohmann::json> found;
        std::ranges::copy_if(events_, std::back_inserter(found),
                             [&](const auto& e) { return is_of(e, pid); });
        return found;
    }

    MetadataNetwork network_;
    RunningProgram tracker_{{"-c", usable_config(), "-f", "json", "--tier", GetParam()}};
    std::vector<nlohmann::json> events_;
};

inline std::string name_of_tier(const testing::TestParamInfo<std::string>& tier) {
    return tier.param;
}
