// SPDX-License-Identifier: MIT
// On SIGHUP imds-tracker reads its options and endpoints again, while its hooks stay attached.
#include "test/imds/capture_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <map>

namespace {

constexpr const char* own_service = "198.51.100.7";
constexpr const char* shared_service = "169.254.169.254";

class EndpointsReload : public testing::TestWithParam<std::string> {
  protected:
    EndpointsReload() {
        bool reports = false;
        for (int i = 0; i < 4 && !reports; i++) // verifiers of old kernels take long under emulation
            reports = tracker_.reports();
        EXPECT_TRUE(reports) << tracker_.err();
    }

    std::string in_folder(const std::string& name) const { return folder_.path() + "/" + name; }
    void write(const std::string& file, const std::string& text) const {
        std::ofstream(in_folder(file) + ".new") << text;
        std::filesystem::rename(in_folder(file) + ".new", in_folder(file));
    }
    /// Until the log has one more line with `words`.
    void reload(const std::string& words) {
        const size_t before = count(words);
        tracker_.send(SIGHUP);
        ASSERT_TRUE(eventually([&] { return count(words) > before; })) << tracker_.err();
    }
    size_t count(const std::string& words) const {
        size_t found = 0;
        for (const std::string& line : lines_of(tracker_.err()))
            found += line.find(words) != line.npos;
        return found;
    }
    /// Returns who asked.
    pid_t ask(const char* address) const {
        return network_.run({CLIENT, "write", "/latest/meta-data/instance-id", address}).pid;
    }
    std::vector<nlohmann::json> events_of(pid_t pid) const {
        std::vector<nlohmann::json> found = parsed(read_file(in_folder("events")));
        std::erase_if(found, [&](const nlohmann::json& event) {
            return event["event"]["kind"] != "event" || !event.contains("process") || !is_of(event, pid);
        });
        return found;
    }

    TemporaryFolder folder_;
    MetadataNetwork network_;
    const bool has_settings_ = (write("settings", ""), true);
    RunningProgram tracker_{{"-c", usable_config(), "-f", "json", "--tier", GetParam(), "-o",
                             in_folder("events"), "--settings", in_folder("settings")}};
};

INSTANTIATE_TEST_SUITE_P(Tiers, EndpointsReload, testing::ValuesIn(tiers_here()), name_of_tier);

TEST_P(EndpointsReload, WatchesThoseThatTheFilesHaveNow) {
    const pid_t before = ask(own_service);
    write("site.conf", std::string(own_service) + " 80 aws\n");
    write("settings", "endpoints = " + in_folder("site.conf") + "\nunsafe = yes\n");
    reload("info: reloaded, ");
    EXPECT_EQ(count("these options were changed and take effect at the next start: unsafe"), 1u)
        << tracker_.err();
    const pid_t added = ask(own_service);

    write("site.conf", std::string(own_service) + " 80 aws\nno endpoint\n");
    reload("not reloaded, all stays as it was");
    EXPECT_EQ(count(in_folder("site.conf") + ":2"), 1u) << tracker_.err();
    const pid_t kept = ask(own_service);

    write("site.conf", std::string(shared_service) + " 80 gcp\n");
    reload("info: reloaded, ");
    const pid_t removed = ask(own_service), changed = ask(shared_service);

    tracker_.send(SIGTERM);
    ASSERT_EQ(tracker_.wait(), 0) << tracker_.err();
    EXPECT_TRUE(events_of(before).empty());
    for (const pid_t pid : {added, kept}) {
        const auto events = events_of(pid);
        ASSERT_EQ(events.size(), 1u) << read_file(in_folder("events"));
        EXPECT_EQ(events[0]["destination"]["ip"], own_service) << events[0];
    }
    EXPECT_TRUE(events_of(removed).empty());
    const auto events = events_of(changed);
    ASSERT_EQ(events.size(), 1u) << read_file(in_folder("events"));
    EXPECT_EQ(events[0]["cloud"]["provider"], "gcp")
        << events[0] << "of others the file says nothing any more";
    for (const nlohmann::json& summary : tracker_.summaries())
        if (summary.contains("seen")) {
            EXPECT_EQ(summary["imbalance"], 0) << summary;
            EXPECT_TRUE(summary["lost"].empty()) << summary;
        }
}

/// What both files have is never missed: one client asks again and again while they change places.
TEST_P(EndpointsReload, MissesNothingThatBothHave) {
    write("site.conf", std::string(own_service) + " 80 aws\n");
    write("settings", "endpoints = " + in_folder("site.conf") + "\n");
    reload("info: reloaded, ");
    std::vector<pid_t> asked;
    for (int i = 0; i < 10; ++i) {
        write("site.conf", std::string(own_service) + " 80 aws\n" + (i % 2 ? "" : "198.51.100.8 80 aws\n"));
        const size_t before = count("info: reloaded, ");
        tracker_.send(SIGHUP);
        for (int round = 0; round < 1000 && count("info: reloaded, ") == before; ++round)
            asked.push_back(ask(own_service));
        ASSERT_GT(count("info: reloaded, "), before) << tracker_.err();
    }
    tracker_.send(SIGTERM);
    ASSERT_EQ(tracker_.wait(), 0) << tracker_.err();
    EXPECT_GE(asked.size(), 10u);
    std::map<pid_t, size_t> reported; // the log is long: it is read once
    for (const nlohmann::json& event : parsed(read_file(in_folder("events"))))
        if (event["event"]["kind"] == "event" && event.contains("process"))
            for (const auto& process : {event["process"], event["process"]["parent"]}) // as is_of() does
                ++reported[process["pid"].get<pid_t>()];
    for (const pid_t pid : asked)
        EXPECT_EQ(reported[pid], 1u) << pid;
}

} // namespace
