// SPDX-License-Identifier: MIT
#include "telemetry/health/metrics.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "telemetry/health/metric_page.hpp"
#include "telemetry/health/metrics_file.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using testing::HasSubstr;

namespace {

std::string read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// What promtool wants of a page, and that each metric stands once: samples by name and labels.
std::map<std::string, double> checked(const std::string& page) {
    static const std::regex help("# HELP ([a-z_]+) ([A-Z].*\\.)"),
        type("# TYPE ([a-z_]+) (counter|gauge|histogram)"),
        sample(R"(([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*)\} (-?[0-9.]+))");
    std::map<std::string, double> samples;
    std::set<std::string> names;
    std::string name, kind;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_match(line, match, help)) {
            EXPECT_TRUE(names.insert(match[1]).second) << "twice: " << line;
            name = match[1];
        } else if (std::regex_match(line, match, type)) {
            EXPECT_EQ(match[1], name);
            kind = match[2];
            EXPECT_EQ(kind == "counter", name.ends_with("_total")) << name;
        } else if (std::regex_match(line, match, sample)) {
            std::string of = match[1];
            if (kind == "histogram")
                of = std::regex_replace(of, std::regex("_(bucket|sum|count)$"), "");
            EXPECT_EQ(of, name) << line;
            EXPECT_TRUE(
                samples.emplace(match[1].str() + "{" + match[2].str() + "}", std::stod(match[3])).second)
                << "twice: " << line;
        } else {
            ADD_FAILURE() << "neither comment nor sample: " << line;
        }
    }
    return samples;
}

struct Metrics : testing::Test {
    Metrics() {
        summary.seen = 100;
        summary.filtered_in_kernel = 40;
        summary.filtered_by_rules = 10;
        summary.folded = 5;
        summary.emitted = 40;
        summary.lost = {{"buffer_full", 3}, {"malformed", 1}};
        summary.in_flight = 1;
        summary.outputs = {{"file /tmp/a\"b\\c\nd\xff", 40, 5, "", 4096},
                           {"syslog", 45, 0, "", 0},
                           {"syslog", 44, 1, "", 10}};
        kernel.slots.resize(2 * EBT_SLOTS);
        kernel.slots[0].emitted = 20;
        kernel.slots[EBT_SLOTS].emitted = 30;
        kernel.slots[EBT_SLOTS + 1].lost[EBT_LOST_BUFFER_FULL] = 3;
    }
    std::map<std::string, double> samples() const {
        return checked(prometheus_text(
            {run, summary, kernel, lag, std::chrono::milliseconds(1500), 1 << 20, reloads, now_ns}));
    }

    RunFacts run{"ebpf_telemetry", "0.1.0", "raw_tp", "kernel BTF", "6.1.0", 1'700'000'000'500'000'000};
    Summary summary;
    ebpf_loader::EngineStats kernel;
    Lag lag;
    std::optional<ReloadCounts> reloads;
    uint64_t now_ns = 7;
};

TEST_F(Metrics, HaveTheWholeSummary) {
    auto all = samples();
    const std::string p = "ebpf_telemetry_", own = "{program=\"ebpf_telemetry\"";
    EXPECT_EQ(all[p + "events_seen_total" + own + "}"], 100);
    EXPECT_EQ(all[p + "events_filtered_total" + own + ",by=\"kernel\"}"], 40);
    EXPECT_EQ(all[p + "events_filtered_total" + own + ",by=\"rules\"}"], 10);
    EXPECT_EQ(all[p + "events_folded_total" + own + "}"], 5);
    EXPECT_EQ(all[p + "events_emitted_total" + own + "}"], 40);
    EXPECT_EQ(all[p + "events_lost_total" + own + ",cause=\"buffer_full\"}"], 3);
    EXPECT_EQ(all[p + "events_lost_total" + own + ",cause=\"malformed\"}"], 1);
    EXPECT_TRUE(all.contains(p + "events_lost_total" + own + ",cause=\"max_cpu\"}")) << "zeros too";
    EXPECT_EQ(all[p + "events_in_flight" + own + "}"], 1);
    EXPECT_EQ(all[p + "events_imbalance" + own + "}"], 0);
    EXPECT_EQ(all[p + "cpu_records_total" + own + ",cpu=\"1\"}"], 30);
    EXPECT_EQ(all[p + "cpu_events_lost_total" + own + ",cpu=\"1\",cause=\"buffer_full\"}"], 3);
    EXPECT_EQ(all[p + "cpu_seconds_total" + own + "}"], 1.5);
    EXPECT_EQ(all[p + "start_time_seconds" + own + "}"], 1'700'000'000.5);
    EXPECT_EQ(all[p + "build_info" + own +
                  R"(,version="0.1.0",tier="raw_tp",offsets="kernel BTF",kernel="6.1.0"})"],
              1);
}

TEST_F(Metrics, ReloadsAreCountedWhereThereAreSome) {
    const std::string name = "ebpf_telemetry_reloads_total{program=\"ebpf_telemetry\",result=";
    EXPECT_FALSE(samples().contains(name + "\"done\"}"));
    reloads = {3, 1};
    auto all = samples();
    EXPECT_EQ(all[name + "\"done\"}"], 3);
    EXPECT_EQ(all[name + "\"failed\"}"], 1);
}

TEST_F(Metrics, HelpersAreCountedWhereThereAreSome) {
    const std::string name = "ebpf_telemetry_helper_failures_total{program=\"ebpf_telemetry\",helper=";
    EXPECT_FALSE(samples().contains(name + "\"http\"}"));
    summary.helpers = {{"http", 0}, {"stack", 3}};
    auto all = samples();
    ASSERT_TRUE(all.contains(name + "\"http\"}")) << "zeros too";
    EXPECT_EQ(all[name + "\"http\"}"], 0);
    EXPECT_EQ(all[name + "\"stack\"}"], 3);
}

TEST_F(Metrics, OfOutputsAreMergedByNameAndEscaped) {
    auto all = samples();
    const std::string lost = "ebpf_telemetry_output_events_lost_total{program=\"ebpf_telemetry\",output=\"";
    EXPECT_EQ(all[lost + "file /tmp/a\\\"b\\\\c\\nd\uFFFD\"}"], 5);
    EXPECT_EQ(all[lost + "syslog\"}"], 1);
    EXPECT_EQ(all["ebpf_telemetry_output_queue_bytes{program=\"ebpf_telemetry\",output=\"syslog\"}"], 10);
}

TEST_F(Metrics, OfConfiguredOutputsSayWhatWaitsAndForHowLong) {
    const DeliveryReport siem{.offered = 100,
                              .resumed = 7,
                              .delivered = 60,
                              .waiting = 45,
                              .lost = {{"refused", 2}},
                              .lost_reports = 4,
                              .retries = 9,
                              .oldest_ns = 1'500'000'000,
                              .queue_limit = 8 << 20,
                              .spool = DeliveryReport::Spool{4096, 1 << 20}};
    const DeliveryReport disk{.offered = 5, .delivered = 5, .oldest_ns = 0, .queue_limit = 1 << 20};
    summary.outputs.push_back({"http siem", 60, 2, "", 500, siem});
    summary.outputs.push_back({"file disk", 5, 0, "", 0, disk});
    now_ns = 4'000'000'000;
    auto all = samples();
    const auto of = [&](const std::string& name, const std::string& labels) {
        const auto found = all.find("ebpf_telemetry_output_" + name +
                                    "{program=\"ebpf_telemetry\",output=\"" + labels + "\"}");
        return found == all.end() ? -1 : found->second;
    };
    EXPECT_EQ(of("waiting_events", "http siem"), 45);
    EXPECT_EQ(of("waiting_events", "file disk"), 0);
    EXPECT_EQ(of("waiting_events", "syslog"), -1) << "it takes what it gets at once";
    EXPECT_EQ(of("queue_bytes", "http siem"), 500);
    EXPECT_EQ(of("queue_limit_bytes", "http siem"), 8 << 20);
    EXPECT_EQ(of("retries_total", "http siem"), 9);
    EXPECT_EQ(of("reports_lost_total", "http siem"), 4);
    EXPECT_EQ(of("resumed_events_total", "http siem"), 7);
    EXPECT_EQ(of("spool_bytes", "http siem"), 4096);
    EXPECT_EQ(of("spool_limit_bytes", "http siem"), 1 << 20);
    EXPECT_EQ(of("spool_bytes", "file disk"), -1) << "it has none";
    EXPECT_EQ(of("oldest_event_seconds", "http siem"), 2.5);
    EXPECT_EQ(of("oldest_event_seconds", "file disk"), 0);
    EXPECT_EQ(of("events_lost_by_cause_total", "http siem\",cause=\"refused"), 2);
}

TEST_F(Metrics, LagIsAHistogram) {
    lag.note(1'000'000); // on the bound
    lag.note(1'000'001);
    lag.note(7'000'000'000);
    auto all = samples();
    const std::string p = "ebpf_telemetry_lag_seconds", own = "{program=\"ebpf_telemetry\"";
    EXPECT_EQ(all[p + "_bucket" + own + ",le=\"0.001\"}"], 1);
    EXPECT_EQ(all[p + "_bucket" + own + ",le=\"0.005\"}"], 2);
    EXPECT_EQ(all[p + "_bucket" + own + ",le=\"5\"}"], 2);
    EXPECT_EQ(all[p + "_bucket" + own + ",le=\"+Inf\"}"], 3);
    EXPECT_EQ(all[p + "_count" + own + "}"], 3);
    EXPECT_EQ(all[p + "_sum" + own + "}"], 7.002000001);
}

TEST_F(Metrics, AreAsPromtoolWantsThem) {
    if (std::system("command -v promtool >/dev/null") != 0)
        GTEST_SKIP() << "there is no promtool";
    const TemporaryFolder folder;
    const std::string file = folder.path() + "/page";
    lag.note(1);
    summary.helpers = {{"http", 1}, {"stack", 0}};
    std::ofstream(file) << prometheus_text({run, summary, kernel, lag, {}, 0, reloads, 0});
    EXPECT_EQ(std::system(("promtool check metrics <" + file).c_str()), 0);
}

TEST(MetricText, Seconds) {
    EXPECT_EQ(seconds_text(0), "0");
    EXPECT_EQ(seconds_text(1), "0.000000001");
    EXPECT_EQ(seconds_text(2'000'000'000), "2");
    EXPECT_EQ(seconds_text(2'050'000'000), "2.05");
}

TEST(MetricsFile, IsReplacedAsAWhole) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/metrics.prom";
    EXPECT_EQ(replace_file(path, "first\n"), "");
    struct stat before {
    }, after{};
    ASSERT_EQ(stat(path.c_str(), &before), 0);
    EXPECT_EQ(before.st_mode & 0777, 0644u) << "for the collector's user";
    std::ifstream open_before(path);
    EXPECT_EQ(replace_file(path, "second\n"), "");
    ASSERT_EQ(stat(path.c_str(), &after), 0);
    EXPECT_NE(before.st_ino, after.st_ino);
    std::string line;
    EXPECT_TRUE(std::getline(open_before, line));
    EXPECT_EQ(line, "first") << "who reads it keeps a whole page";
    EXPECT_EQ(read(path), "second\n");
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(MetricsFile, FollowsNoLinkOfOthers) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/metrics.prom", victim = folder.path() + "/victim";
    std::ofstream(victim) << "kept";
    std::filesystem::create_symlink(victim, path + ".new");
    EXPECT_EQ(replace_file(path, "page\n"), "");
    EXPECT_EQ(read(victim), "kept");
    EXPECT_EQ(read(path), "page\n");
}

TEST(MetricsFile, WritesTheLastPageAndReportsAnErrorOnce) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/metrics.prom";
    {
        MetricsFile file(path, false);
        for (int i = 0; i < 100; ++i)
            file.put(std::to_string(i) + "\n");
    }
    EXPECT_EQ(read(path), "99\n");
    MetricsFile nowhere(folder.path() + "/no/such", false);
    std::optional<std::string> error;
    for (int i = 0; i < 1000 && !error; ++i) {
        nowhere.put("page\n");
        usleep(1000);
        error = nowhere.take_error();
    }
    ASSERT_TRUE(error);
    EXPECT_THAT(*error, HasSubstr("No such file"));
    nowhere.put("page\n");
    usleep(20'000);
    EXPECT_FALSE(nowhere.take_error()) << "the same again";
}

} // namespace
